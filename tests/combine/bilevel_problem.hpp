#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "../golden.hpp"
#include "error_text.hpp"
#include "linear_problem.hpp"
#include "mtl/core/random.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/sharing/task_losses.hpp"

/// What the tests of bilevel combiners try them on.
namespace bilevel_problem {

using namespace mtl;

inline const std::vector<std::string> bilevel = {"auto_lambda", "moml", "forum"};

/// Losses .5 (x - c)'A(x - c) of one shared parameter x.
struct Quadratics : LinearProblem {
  Quadratics(int64_t tasks, int64_t size) : LinearProblem(tasks, size) {}

  TaskLosses at(const Tensor& a, const Tensor& c, const std::vector<int64_t>& present) {
    TaskLosses all;
    all.task_count = tasks().size();
    for (const int64_t t : present) {
      const Tensor away = x - c[t];
      all.tasks.push_back(t);
      all.names.push_back(tasks()[t].name);
      all.samples.push_back(1);
      all.values.push_back(0.5 * away.dot(a[t].mv(away)));
    }
    return all;
  }
};

/// A small net of two tasks that draws (dropout) and keeps running statistics (batch
/// normalisation).
struct Net : Model {
  explicit Net(double dropout = 0, torch::Dtype type = torch::kDouble)
      : Model(tasks_of_kind({true, true})), dropout_(dropout) {
    torch::manual_seed(5);
    layer = register_module("layer", torch::nn::Linear(4, 6));
    normal = register_module("normal", torch::nn::BatchNorm1d(6));
    for (const auto& task : tasks())
      heads.push_back(register_module("head_" + task.name, torch::nn::Linear(6, 1)));
    to(type);
  }
  NamedTensors forward(const NamedTensors& inputs) override {
    const Tensor z =
        torch::dropout(torch::tanh(normal(layer(inputs["x"]))), dropout_, is_training());
    NamedTensors predictions;
    for (size_t t = 0; t < heads.size(); ++t)
      predictions.insert(tasks()[static_cast<int64_t>(t)].name, heads[t](z));
    return predictions;
  }
  std::vector<Tensor> task_parameters(std::string_view task) override {
    return heads[task == tasks()[0].name ? 0 : 1]->parameters();
  }

  TaskLosses losses(const Batch& batch) { return task_losses(*this, forward(batch.inputs), batch); }
  /// The step's losses with a further batch.
  TaskLosses step(const Batch& batch, const Batch& further) {
    TaskLosses all = losses(batch);
    all.same_batch = [this, batch] { return losses(batch); };
    all.another_batch = [this, further] { return losses(further); };
    return all;
  }
  /// Copies of parameters and buffers.
  std::vector<Tensor> everything() const {
    std::vector<Tensor> copies;
    for (const Tensor& parameter : parameters()) copies.push_back(parameter.detach().clone());
    for (const Tensor& buffer : buffers()) copies.push_back(buffer.clone());
    return copies;
  }

  double dropout_;
  torch::nn::Linear layer{nullptr};
  torch::nn::BatchNorm1d normal{nullptr};
  std::vector<torch::nn::Linear> heads;
};

inline Batch random_batch(int64_t seed, torch::Dtype type = torch::kDouble) {
  auto generator = make_generator(static_cast<uint64_t>(seed));
  const Tensor x = torch::randn({12, 4}, generator, type);
  Batch batch;
  batch.inputs.insert("x", x);
  batch.targets.insert("task0", x.select(1, 0) * 2 - x.select(1, 1));
  batch.targets.insert("task1", x.select(1, 2) * x.select(1, 3));
  return batch;
}

inline bool equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) same = torch::equal(a[i], b[i]);
  return same;
}

inline std::vector<Tensor> gradients_of(const Model& model) {
  std::vector<Tensor> all;
  for (const Tensor& parameter : model.parameters()) all.push_back(parameter.grad().clone());
  return all;
}

inline Eigen::VectorXd weights_of(const Combiner& combiner) {
  return vector_of(combiner.state_dict()["weights"]);
}

/// The golden paths of a method over quadratic tasks: gradients and weights, step by step.
inline void check_golden_paths(const std::string& method) {
  const auto& file = golden("bilevel.json");
  const Tensor a = tensor_of(file["train"]["a"]), c = tensor_of(file["train"]["c"]);
  const Tensor valid_a = tensor_of(file["valid"]["a"]), valid_c = tensor_of(file["valid"]["c"]);
  const auto problem = std::make_shared<Quadratics>(3, 4);
  int cases = 0;
  for (const auto& [text, steps] : file["cases"].items()) {
    if (!text.starts_with(method)) continue;
    ++cases;
    const auto combiner = make_combiner(text);
    problem->x.set_data(tensor_of(file["start"]));
    for (size_t k = 0; k < steps.size(); ++k) {
      INFO(text << ", step " << k);
      const auto present = file["present"][k].get<std::vector<int64_t>>();
      const auto validated = file["validated"][k].get<std::vector<int64_t>>();
      TaskLosses losses = problem->at(a, c, present);
      losses.same_batch = [&] { return problem->at(a, c, present); };
      losses.another_batch = [&] { return problem->at(valid_a, valid_c, validated); };
      const Tensor gradient = problem->step(*combiner, losses);
      CHECK(torch::allclose(gradient, tensor_of(steps[k]["gradient"]), 1e-7, 1e-8));
      const Eigen::VectorXd expected = vector_of(tensor_of(steps[k]["weights"]));
      CHECK((weights_of(*combiner) - expected).cwiseAbs().maxCoeff() < 1e-7);
      problem->x.set_data(problem->x.detach() - file["rate"].get<double>() * gradient);
      if (k % 3 == 2) combiner->end_epoch();
    }
  }
  CHECK(cases > 0);
}

}  // namespace bilevel_problem
