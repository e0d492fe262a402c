#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "golden.hpp"
#include "mtl/combine/losses/sum.hpp"
#include "mtl/task/tasks.hpp"
#include "some_models.hpp"
#include "temporary_folder.hpp"

// What holds for every way of sharing. Inputs have two values a sample, heads read four.

inline mtl::TaskRegistry tasks_named(const std::vector<std::string>& names, int64_t width = 4) {
  mtl::TaskRegistry tasks;
  for (const std::string& name : names)
    tasks.add({.name = name, .head = mtl::nn::LinearHead(width, 1), .loss = squared_error});
  return tasks;
}

/// One layer of the golden networks: tanh(x W' + b).
inline mtl::nn::MlpEncoder tanh_layer(int64_t in, int64_t out) {
  return mtl::nn::MlpEncoder(
      {.input_size = in, .hidden_sizes = {out}, .activation = mtl::nn::Activation::tanh});
}

inline torch::Tensor golden_input() {
  return torch::sin(0.7 * torch::arange(6, torch::kDouble) + 0.5).view({3, 2});
}

inline std::vector<std::string> task_names(const mtl::Model& model) {
  std::vector<std::string> names;
  for (const mtl::Task& task : model.tasks()) names.push_back(task.name);
  return names;
}

/// Double precision, and the parameters as the rule of make_sharing.py says.
inline void fill_by_rule(mtl::Model& model) {
  model.to(torch::kDouble);
  std::map<std::string, torch::Tensor> sorted;
  for (const auto& item : model.named_parameters()) sorted[item.key()] = item.value();
  torch::NoGradGuard no_grad;
  double k = 0;
  for (auto& [name, value] : sorted) {
    const auto i = torch::arange(value.numel(), torch::kDouble);
    value.copy_((0.6 * torch::sin((0.9 + 0.1 * k) * i + 1.3 * k + 0.2)).view(value.sizes()));
    ++k;
  }
}

inline const nlohmann::json& golden_case(const std::string& name, const mtl::Model& model) {
  for (const auto& entry : golden("sharing.json"))
    if (entry["name"] == name && entry["tasks"] == task_names(model)) return entry;
  throw std::runtime_error("no golden case " + name);
}

inline void check_gradients(const mtl::Model& model, const torch::Tensor& value,
                            const nlohmann::json& gradients) {
  for (const auto& item : model.named_parameters()) {
    INFO(item.key());
    const auto found =
        torch::autograd::grad({value}, {item.value()}, {}, true, false, /*allow_unused=*/true)[0];
    const auto expected = tensor_of(gradients[item.key()]);
    if (found.defined())
      CHECK(found.flatten().allclose(expected, 1e-9, 1e-12));
    else
      CHECK(expected.abs().max().item<double>() == 0);
  }
}

/// Names and shapes of parameters, predictions and gradients are those of tests/golden.
inline void check_golden(const std::string& name, mtl::Model& model) {
  INFO(name);
  const auto& expected = golden_case(name, model);
  nlohmann::json shapes = nlohmann::json::object();
  for (const auto& item : model.named_parameters()) shapes[item.key()] = item.value().sizes().vec();
  REQUIRE(shapes == expected["shapes"]);
  fill_by_rule(model);
  const auto predictions = model.forward({{"x", golden_input()}});
  auto loss = torch::zeros({}, torch::kDouble);
  for (int64_t t = 0; t < model.tasks().size(); ++t) {
    const auto& prediction = predictions[model.tasks()[t].name];
    loss = loss + static_cast<double>(t + 1) * prediction.square().sum() / 2;
    CHECK(prediction.flatten().allclose(tensor_of(expected["predictions"][model.tasks()[t].name]),
                                        1e-10, 1e-12));
  }
  check_gradients(model, loss, expected["gradients"]);
}

/// The same for a penalty, after check_golden has filled the parameters.
inline void check_golden_penalty(const std::string& name, const mtl::Model& model,
                                 const torch::Tensor& penalty) {
  const auto& expected = golden_case(name, model);
  CHECK(penalty.item<double>() == Approx(expected["penalty"].get<double>()).epsilon(1e-10));
  check_gradients(model, penalty, expected["penalty_gradients"]);
}

/// A parameter is a task's where it reaches its prediction and no other one's, and shared where it
/// reaches several; every parameter reaches one.
inline void check_ownership(mtl::Model& model) {
  const auto parameters = model.parameters();
  const auto predictions = model.forward({{"x", torch::randn({3, 2})}});
  std::map<const void*, std::set<std::string>> reached;
  for (const auto& item : predictions) {
    const auto gradients =
        torch::autograd::grad({item.value().sum()}, parameters, {}, true, false, true);
    for (size_t p = 0; p < parameters.size(); ++p)
      if (gradients[p].defined()) reached[parameters[p].unsafeGetTensorImpl()].insert(item.key());
  }
  CHECK(reached.size() == parameters.size());
  const mtl::Parameters& sets = model.parameter_sets();
  size_t listed = sets.shared.size();
  for (const auto& parameter : sets.shared)
    CHECK(reached[parameter.unsafeGetTensorImpl()].size() > 1);
  for (size_t t = 0; t < sets.by_task.size(); ++t) {
    listed += sets.by_task[t].size();
    for (const auto& parameter : sets.by_task[t])
      CHECK(reached[parameter.unsafeGetTensorImpl()] ==
            std::set<std::string>{model.tasks()[static_cast<int64_t>(t)].name});
  }
  CHECK(listed == parameters.size());
}

inline int64_t element_count(const std::vector<torch::Tensor>& tensors) {
  int64_t count = 0;
  for (const auto& tensor : tensors) count += tensor.numel();
  return count;
}

/// A clone and a file give a model with the same answers, which goes its own way.
template <class Holder>
void check_copies(Holder model) {
  const auto x = torch::randn({3, 2});
  move_weights(*model);
  model->eval();
  const auto expected = model->forward({{"x", x}});
  const auto same_answers = [&](Holder& other) {
    const auto found = other->forward({{"x", x}});
    REQUIRE(found.keys() == expected.keys());
    for (const auto& item : expected) CHECK(found[item.key()].equal(item.value()));
  };
  Holder copy = mtl::clone(model);
  CHECK(same_weights(*model, *copy));
  CHECK_FALSE(copy->is_training());
  same_answers(copy);

  const TemporaryFolder folder;
  mtl::save(model, folder / "model.safetensors");
  move_weights(*copy);
  CHECK_FALSE(same_weights(*model, *copy));
  mtl::load(copy, folder / "model.safetensors");
  CHECK(same_weights(*model, *copy));
  same_answers(copy);
}
