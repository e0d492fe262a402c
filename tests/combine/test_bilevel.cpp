#include <cmath>

#include "../golden.hpp"
#include "error_text.hpp"
#include "linear_problem.hpp"
#include "mtl/combine/bilevel/bilevel.hpp"
#include "mtl/combine/solvers/constrained.hpp"
#include "mtl/data/data.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/train.hpp"
#include "random_jacobians.hpp"

using namespace mtl;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

const std::vector<std::string> kBilevel = {"auto_lambda", "moml", "forum"};

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

Batch random_batch(int64_t seed, torch::Dtype type = torch::kDouble) {
  auto generator = make_generator(static_cast<uint64_t>(seed));
  const Tensor x = torch::randn({12, 4}, generator, type);
  Batch batch;
  batch.inputs.insert("x", x);
  batch.targets.insert("task0", x.select(1, 0) * 2 - x.select(1, 1));
  batch.targets.insert("task1", x.select(1, 2) * x.select(1, 3));
  return batch;
}

bool equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) same = torch::equal(a[i], b[i]);
  return same;
}

std::vector<Tensor> gradients_of(const Model& model) {
  std::vector<Tensor> all;
  for (const Tensor& parameter : model.parameters()) all.push_back(parameter.grad().clone());
  return all;
}

VectorXd weights_of(const Combiner& combiner) {
  return vector_of(combiner.state_dict()["weights"]);
}

}  // namespace

TEST_CASE("Bilevel combiners: paths over quadratic tasks follow the formulas") {
  const auto file = golden("bilevel.json");
  const Tensor a = tensor_of(file["train"]["a"]), c = tensor_of(file["train"]["c"]);
  const Tensor valid_a = tensor_of(file["valid"]["a"]), valid_c = tensor_of(file["valid"]["c"]);
  const auto problem = std::make_shared<Quadratics>(3, 4);
  for (const auto& [text, steps] : file["cases"].items()) {
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
      const VectorXd expected = vector_of(tensor_of(steps[k]["weights"]));
      CHECK((weights_of(*combiner) - expected).cwiseAbs().maxCoeff() < 1e-7);
      problem->x.set_data(problem->x.detach() - file["rate"].get<double>() * gradient);
      if (k % 3 == 2) combiner->end_epoch();
    }
  }
}

TEST_CASE("Auto-Lambda: differences of losses are the exact mixed second derivative") {
  const auto net = std::make_shared<Net>();
  const Batch batch = random_batch(1), further = random_batch(2);
  const double inner_lr = 0.05;
  // d/dw of (grad sum w_t l_t) . d, by differentiating twice; d at the trial parameters.
  Tensor w = torch::full({2}, 0.1, torch::kDouble).requires_grad_();
  const auto parameters = net->parameters();
  const Tensor sum = torch::stack(net->losses(batch).values).dot(w);
  const auto first = torch::autograd::grad({sum}, parameters, {}, true, true);
  const auto kept = net->everything();
  {
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < parameters.size(); ++p)
      parameters[p].variable_data().add_(first[p], -inner_lr);
  }
  const Tensor validation = torch::stack(net->losses(further).values).sum();
  const auto direction = torch::autograd::grad({validation}, parameters);
  for (size_t p = 0; p < parameters.size(); ++p) parameters[p].variable_data().copy_(kept[p]);
  Tensor along = torch::zeros({}, torch::kDouble);
  for (size_t p = 0; p < parameters.size(); ++p) along = along + (first[p] * direction[p]).sum();
  const VectorXd exact = -inner_lr * vector_of(torch::autograd::grad({along}, {w})[0]);

  AutoLambda combiner({.inner_lr = inner_lr});
  combiner.backward(net->step(batch, further), *net);
  const VectorXd found = vector_of(combiner.state_dict()["mean"]) / (1 - 0.9);
  INFO("found " << found.transpose() << ", exact " << exact.transpose());
  CHECK((found - exact).norm() < 1e-3 * exact.norm());
}

TEST_CASE("Auto-Lambda: both sides of a difference see the same dropout") {
  const auto net = std::make_shared<Net>(0.5);
  const Batch batch = random_batch(1);
  TaskLosses losses = net->step(batch, random_batch(2));
  std::vector<Tensor> draws;
  losses.same_batch = [&] {
    draws.push_back(default_generator_state());
    return net->losses(batch);
  };
  AutoLambda().backward(losses, *net);
  REQUIRE(draws.size() == 2);
  CHECK(torch::equal(draws[0], draws[1]));
}

TEST_CASE("Bilevel combiners: the model comes back bit for bit, and running statistics rest") {
  for (const auto type : {torch::kFloat, torch::kDouble})
    for (const auto& text : kBilevel) {
      INFO(text);
      const auto net = std::make_shared<Net>(0.2, type);
      const auto combiner = make_combiner(text);
      for (int64_t step = 0; step < 3; ++step) {
        const TaskLosses losses = net->step(random_batch(step, type), random_batch(9 + step, type));
        const auto before = net->everything();
        net->zero_grad();
        combiner->backward(losses, *net);
        CHECK(equal(net->everything(), before));
        for (const Tensor& parameter : net->parameters())
          CHECK(parameter.grad().scalar_type() == type);
      }
    }
}

TEST_CASE("Bilevel combiners: the model comes back when a loss throws") {
  for (const auto& text : kBilevel) {
    for (const bool in_validation : {true, false}) {
      if (text == "moml" && !in_validation) continue;  // it looks at its batch once
      INFO(text << (in_validation ? " in validation" : " on trial"));
      const auto net = std::make_shared<Net>();
      const Batch batch = random_batch(1);
      TaskLosses losses = net->step(batch, random_batch(2));
      int calls = 0;
      if (in_validation)
        losses.another_batch = [&]() -> TaskLosses {
          net->losses(batch);
          throw Error("the reader is gone");
        };
      else
        losses.same_batch = [&]() -> TaskLosses {
          if (++calls == 2) throw Error("the reader is gone");
          return net->losses(batch);
        };
      const auto before = net->everything();
      const auto combiner = make_combiner(text);
      CHECK(error_text([&] { combiner->backward(losses, *net); }) == "the reader is gone");
      CHECK(equal(net->everything(), before));
    }
  }
  // Nothing that autograd would call a change has happened to the parameters.
  const auto net = std::make_shared<Net>();
  TaskLosses losses = net->step(random_batch(1), random_batch(2));
  losses.another_batch = []() -> TaskLosses { throw Error("the reader is gone"); };
  CHECK_FALSE(error_text([&] { Moml().backward(losses, *net); }).empty());
  torch::stack(losses.values).sum().backward();
  const auto found = gradients_of(*net);
  net->zero_grad();
  torch::stack(net->losses(random_batch(1)).values).sum().backward();
  CHECK(equal(found, gradients_of(*net)));
}

TEST_CASE("Bilevel combiners: a resumed combiner goes on to the bit") {
  for (const auto& text : kBilevel) {
    INFO(text);
    const auto net = std::make_shared<Net>();
    const auto first = make_combiner(text), second = make_combiner(text);
    const auto step = [&](Combiner& combiner, int64_t k) {
      net->zero_grad();
      combiner.backward(net->step(random_batch(k), random_batch(20 + k)), *net);
      return gradients_of(*net);
    };
    for (int64_t k = 0; k < 3; ++k) {
      step(*first, k);
      first->end_epoch();
    }
    const auto fresh = make_combiner(text);
    second->load_state_dict(fresh->state_dict());  // that of a combiner without a step
    second->load_state_dict(first->state_dict());
    for (int64_t k = 3; k < 6; ++k) CHECK(equal(step(*first, k), step(*second, k)));
    CHECK(weights_of(*first) == weights_of(*second));
    CHECK(contains(error_text([&] { second->load_state_dict(NamedTensors()); }), "no \"weights\""));
  }
}

TEST_CASE("Bilevel combiners: one task") {
  const auto problem = std::make_shared<LinearProblem>(1, 3);
  const Tensor row = torch::tensor({{1.0, -2.0, 0.5}}, torch::kDouble);
  TaskLosses losses = problem->losses(row);
  losses.same_batch = losses.another_batch = [&] { return problem->losses(row); };
  AutoLambda auto_lambda;  // validation agrees with training: the weight rises by one step of Adam
  CHECK(torch::allclose(problem->step(auto_lambda, losses), 0.1001 * row[0], 1e-9));
  for (const char* text : {"moml", "forum"}) {
    INFO(text);
    CHECK(torch::equal(problem->step(*make_combiner(text), problem->losses(row)), row[0]));
  }
}

TEST_CASE("Bilevel combiners: a task without labels keeps its weight, and a batch may have none") {
  const auto problem = std::make_shared<LinearProblem>(3, 4);
  torch::manual_seed(3);
  const Tensor rows = torch::randn({3, 4}, torch::kDouble),
               further = torch::randn({3, 4}, torch::kDouble);
  const auto step = [&](Combiner& combiner, std::vector<int64_t> present) {
    TaskLosses losses = problem->losses(rows, {}, present);
    losses.same_batch = [&, present] { return problem->losses(rows, {}, present); };
    losses.another_batch = [&] { return problem->losses(further, {}, {1}); };
    return problem->step(combiner, losses);
  };
  for (const auto& text : kBilevel) {
    INFO(text);
    const auto combiner = make_combiner(text == "forum" ? "forum:rho=5" : text);
    step(*combiner, {0, 1, 2});
    const NamedTensors before = combiner->state_dict();
    CHECK(torch::isfinite(step(*combiner, {0, 2})).all().item<bool>());
    const NamedTensors after = combiner->state_dict();
    for (const char* name : {"weights", "mean", "square", "steps"}) {
      INFO(name);
      CHECK(torch::equal(after[name][1], before[name][1]));
      CHECK_FALSE(torch::equal(after[name], before[name]));
    }
    TaskLosses none;
    none.task_count = 3;
    CHECK(problem->step(*combiner, none).abs().sum().item<double>() == 0);
  }
  // Validation of tasks that are not primary teaches nothing.
  AutoLambda combiner({.primary = {1, 0, 0}});
  TaskLosses losses = problem->losses(rows);
  losses.another_batch = [&] { return problem->losses(further, {}, {1, 2}); };
  CHECK(torch::allclose(problem->step(combiner, losses), 0.1 * rows.sum(0)));
}

TEST_CASE("Bilevel combiners: validation losses may be the caller's") {
  const auto net = std::make_shared<Net>();
  const Batch batch = random_batch(1), further = random_batch(2);
  int calls = 0;
  const auto validation = [&] {
    ++calls;
    return net->losses(further);
  };
  const auto check = [&](Combiner& given, const std::string& text) {
    INFO(text);
    calls = 0;
    net->zero_grad();
    TaskLosses losses = net->step(batch, further);
    losses.another_batch = nullptr;
    given.backward(losses, *net);
    CHECK(calls == 1);
    const auto found = gradients_of(*net);
    net->zero_grad();
    make_combiner(text)->backward(net->step(batch, further), *net);
    CHECK(equal(found, gradients_of(*net)));
  };
  AutoLambda auto_lambda({.validation = validation});
  check(auto_lambda, "auto_lambda");
  Moml moml({.validation = validation});
  check(moml, "moml");
  Forum forum({.validation = validation});
  check(forum, "forum");
}

TEST_CASE("Bilevel combiners: what is missing or wrong is an Error by name") {
  const auto net = std::make_shared<Net>();
  const Batch batch = random_batch(1);
  const auto error = [&](const std::string& text, auto change) {
    TaskLosses losses = net->step(batch, batch);
    change(losses);
    return error_text([&] { make_combiner(text)->backward(losses, *net); });
  };
  for (const auto& text : kBilevel) {
    INFO(text);
    CHECK(contains(error(text, [](TaskLosses& l) { l.another_batch = nullptr; }),
                   "give its option validation, or the losses another_batch"));
    CHECK(contains(error(text,
                         [&](TaskLosses& l) {
                           l.another_batch = [&] {
                             TaskLosses bad = net->losses(batch);
                             bad.values[1] = bad.values[1] * NAN;
                             return bad;
                           };
                         }),
                   "task \"task1\": its loss in validation is nan"));
    CHECK(contains(error(text,
                         [&](TaskLosses& l) {
                           l.another_batch = [&] {
                             TaskLosses bad = net->losses(batch);
                             bad.task_count = 3;
                             return bad;
                           };
                         }),
                   "of 3 tasks"));
    if (text != "moml")
      CHECK(contains(error(text, [](TaskLosses& l) { l.same_batch = nullptr; }),
                     "give the losses same_batch"));
    CHECK(contains(error_text([&] {
                     aggregate(*make_combiner(text), torch::ones({2, 3}, torch::kDouble));
                   }),
                   "several parameters"));
  }
  CHECK(contains(error("forum:inner_lr=1e200", [](TaskLosses&) {}), "a smaller inner_lr"));
  for (const char* text : {"auto_lambda:lr=0", "auto_lambda:inner_lr=-1", "auto_lambda:start=0",
                           "auto_lambda:primary=0/0", "auto_lambda:primary=1/-1", "moml:lr=-1",
                           "moml:inner_lr=0", "moml:scale=loss", "forum:lr=0", "forum:inner_lr=0",
                           "forum:inner_steps=0", "forum:rho=-1"}) {
    INFO(text);
    CHECK_FALSE(error_text([&] { make_combiner(text); }).empty());
  }
  CHECK(contains(error_text([] { make_combiner("forum:phi=1"); }),
                 "it has: lr, inner_lr, inner_steps, rho, scale"));
  CHECK(contains(error("auto_lambda:primary=1/1/1", [](TaskLosses&) {}), "3 entries"));
}

TEST_CASE("constrained_min_norm: feasible, and no other point is better") {
  using namespace random_jacobians;
  std::mt19937_64 random(3);
  for (const char* kind : {"wide", "low rank", "agreeing", "opposed", "duplicate"})
    for (int tasks = 1; tasks <= 9; ++tasks)
      for (const double rate : {0.0, 0.1, 2.0}) {
        INFO(kind << ", T = " << tasks << ", rate " << rate);
        MatrixXd j = draw(random, tasks, kind).jacobian;
        j /= j.rowwise().norm().maxCoeff();
        const VectorXd q =
            log_uniform(random, -3, 3) * normal(random, static_cast<int>(j.cols()), 1);
        const double demand = rate * q.squaredNorm();
        const auto point =
            solvers::constrained_min_norm(j * j.transpose(), j * q, q.squaredNorm(), demand);
        CHECK(point.weights.minCoeff() >= 0);
        CHECK(point.weights.sum() == Approx(1).epsilon(1e-12));
        CHECK(point.multiplier >= 0);
        const VectorXd d = -(j.transpose() * point.weights + point.multiplier * q);
        const double slack = 1e-9 * (1 + d.norm());
        CHECK(q.dot(d) <= -demand + slack * q.norm());
        if (point.multiplier * q.norm() > 1e-9)
          CHECK(std::abs(q.dot(d) + demand) <= slack * q.norm());
        CHECK(point.weights.dot(j * d) >= (j * d).maxCoeff() - slack);
      }
  const auto free =
      solvers::constrained_min_norm(MatrixXd::Identity(2, 2), VectorXd::Zero(2), 0, 1);
  CHECK(free.multiplier == 0);
  CHECK(free.weights.isApprox(VectorXd::Constant(2, 0.5)));
  CHECK_FALSE(error_text([] {
                solvers::constrained_min_norm(MatrixXd::Identity(2, 2), VectorXd::Zero(3), 1, 1);
              }).empty());
}

TEST_CASE("Bilevel combiners: the trainer gives them what they need, and runs are repeatable") {
  for (const auto& text : kBilevel) {
    INFO(text);
    const auto run = [&] {
      const auto net = std::make_shared<Net>(0.1, torch::kFloat);
      const Batch rows = random_batch(3, torch::kFloat);
      TensorDataset data(rows.inputs, rows.targets);
      BatchLoader train(data, {.batch_size = 2, .shuffle = true, .seed = 4});
      torch::optim::SGD sgd(net->parameters(), 0.05);
      const auto combiner = make_combiner(text, net->tasks());
      Trainer trainer(*net, sgd, *combiner, {.epochs = 12});
      const TrainingRun result = trainer.fit(train);
      CHECK(result.steps == 12 * 3);  // every other batch is for validation
      const auto& epochs = result.history.epochs;
      CHECK(epochs.back().train.total < epochs.front().train.total);
      return net->everything();
    };
    CHECK(equal(run(), run()));
  }
}
