#include "bilevel_problem.hpp"
#include "loss_checks.hpp"
#include "mtl/train/train.hpp"

using namespace loss_checks;

namespace {

/// Every loss combiner, for properties that all share.
std::vector<std::pair<std::string, std::unique_ptr<LossCombiner>>> all_combiners() {
  std::vector<std::pair<std::string, std::unique_ptr<LossCombiner>>> all;
  const auto add = [&](const std::string& name, auto combiner) {
    all.emplace_back(name, std::make_unique<decltype(combiner)>(std::move(combiner)));
  };
  add("sum", Sum());
  add("mean", Mean());
  add("fixed", FixedWeights({0.5, 2.0, 1.0}));
  add("geometric mean", GeometricMean());
  add("log sum", LogSum());
  add("kendall", KendallUncertainty(3));
  add("kendall without tasks", KendallUncertainty());
  add("revised", RevisedUncertainty());
  add("imtl_l", ImtlL());
  add("dwa", DynamicWeightAverage());
  add("rlw", RandomLossWeighting({.seed = 3}));
  add("stch", Stch({.mu = 0.5, .weights = {0.2, 0.3, 0.5}, .reference = {0.0, 0.1, 0.0}}));
  add("stch with warm-up", Stch({.warm_up_epochs = 1}));
  add("famo", Famo());
  add("cosmos", Cosmos({.weights = {0.2, 0.3, 0.5}}));
  add("pbi", Pbi());
  return all;
}

}  // namespace

TEST_CASE("Loss combiners: gradients agree with central differences") {
  for (auto& [name, combiner] : all_combiners()) {
    // It draws anew in every step; FAMO's c is a constant of the step and has golden values.
    if (name == "rlw" || name == "famo") continue;
    INFO(name);
    const std::vector<double> row = {0.7, 1.3, 2.1};
    const TaskLosses losses = constant_losses(row);
    combiner->combine(losses).backward();
    for (size_t t = 0; t < row.size(); ++t) {
      std::vector<double> above = row;
      std::vector<double> below = row;
      above[t] += 1e-6;
      below[t] -= 1e-6;
      const double slope = (combiner->combine(constant_losses(above)).item<double>() -
                            combiner->combine(constant_losses(below)).item<double>()) /
                           2e-6;
      CHECK(losses.values[t].grad().item<double>() == Approx(slope).epsilon(1e-7));
    }
  }
}

TEST_CASE("Loss combiners: a task without labels has no term, and its parameter no gradient") {
  for (auto& [name, combiner] : all_combiners()) {
    INFO(name);
    combiner->set_task_count(3);
    const TaskLosses losses = constant_losses({0.7, 1.3, 2.1});
    combiner->combine(only(losses, {0, 2})).backward();
    CHECK(losses.values[0].grad().defined());
    CHECK_FALSE(losses.values[1].grad().defined());
    const std::vector<Tensor> parameters = combiner->parameters();
    for (size_t t = 0; t < parameters.size(); ++t)
      CHECK(parameters[t].grad().defined() == (t != 1));
  }
}

TEST_CASE("Loss combiners: the total for watching is a fixed function of the losses") {
  for (auto& [name, combiner] : all_combiners()) {
    INFO(name);
    combiner->set_task_count(3);
    const TaskLosses losses = constant_losses({0.7, 1.3, 2.1});
    const double before_the_first_step = combiner->total(losses).item<double>();
    const NamedTensors before = combiner->state_dict();
    CHECK(combiner->total(losses).item<double>() == before_the_first_step);
    check_same(combiner->state_dict(), before);
    for (int epoch = 0; epoch < 3; ++epoch) {
      combiner->combine(constant_losses({1.7, 0.3, 1.1})).backward();
      const torch::NoGradGuard no_grad;
      for (const Tensor& parameter : combiner->parameters()) parameter.sub_(parameter.grad());
      if (combiner->wants_losses_after_step())
        combiner->after_step(constant_losses({1.0, 0.1, 3.0}));
      combiner->end_epoch();
    }
    CHECK(combiner->total(losses).item<double>() == before_the_first_step);
  }
}

TEST_CASE("Loss combiners: a loss that is not finite is refused by name, and leaves no trace") {
  for (auto& [name, combiner] : all_combiners()) {
    INFO(name);
    combiner->set_task_count(3);
    combiner->combine(constant_losses({0.7, 1.3, 2.1})).backward();
    const NamedTensors before = combiner->state_dict();
    for (const double wrong : {not_a_number, infinity, -infinity}) {
      const TaskLosses losses = constant_losses({0.7, wrong, 2.1});
      CHECK_THROWS_AS(combiner->backward(losses, {}), FaultyStep);
      CHECK(contains(error_text([&] { combiner->combine(losses); }), "task \"1\": its loss is "));
      for (const Tensor& loss : losses.values) CHECK_FALSE(loss.grad().defined());
      check_same(combiner->state_dict(), before);
    }
  }
}

TEST_CASE("Loss combiners: one task, and a batch in which no task has a label") {
  for (auto& [name, combiner] : all_combiners()) {
    INFO(name);
    TaskLosses none;
    none.task_count = 3;
    combiner->backward(none, {});
    const TaskLosses losses = only(constant_losses({0.5, 1.0, 2.0}), {1});
    combiner->backward(losses, {});
    CHECK(std::isfinite(losses.values[0].grad().item<double>()));
  }
}

TEST_CASE(
    "Loss combiners: losses that are no scalars are refused, those of one element are taken") {
  Sum sum;
  CHECK(contains(error_text([&] {
                   sum.combine(task_losses({torch::ones({2}), torch::ones({2})}));
                 }),
                 "task \"0\": its loss has shape [2]"));
  CHECK(sum.combine(task_losses({torch::ones({1}), torch::ones({})})).item<double>() == 2);
}

TEST_CASE("Loss combiners: a value or total of losses of one element and of several types") {
  for (auto& [name, combiner] : all_combiners()) {
    INFO(name);
    combiner->set_task_count(3);
    TaskLosses losses = constant_losses({0.75, 1.25, 2.0}), mixed = losses, none;
    mixed.values[0] = mixed.values[0].to(torch::kFloat);
    mixed.values[1] = mixed.values[1].reshape({1});
    const double expected = combiner->total(losses).item<double>();
    const Tensor total = combiner->total(mixed);
    CHECK(total.dim() == 0);
    CHECK(total.item<double>() == Approx(expected).epsilon(1e-6));
    CHECK(combiner->combine(mixed).dim() == 0);
    none.task_count = 3;
    CHECK(contains(error_text([&] { combiner->total(none); }), "no loss to put together"));
  }
}

TEST_CASE("Loss combiners: what is learned joins the trainer's optimizer without a registry") {
  for (const char* text : {"kendall", "revised_uncertainty", "imtl_l"}) {
    INFO(text);
    const auto net = std::make_shared<bilevel_problem::Net>();
    torch::optim::Adam adam(net->parameters(), 0.01);
    const auto combiner = make_combiner(text);
    Trainer trainer(*net, adam, *combiner, {.epochs = 1});
    REQUIRE(adam.param_groups().size() == 2);
    CHECK(adam.param_groups()[1].params().size() == 2);
    const NamedTensors before = combiner->state_dict();
    CHECK(before.front().value().numel() == 2);
    // A state from before the first step, of a run with or without the number of tasks.
    make_combiner(text)->load_state_dict(before);
    make_combiner(text, 2)->load_state_dict(make_combiner(text)->state_dict());
    CHECK(contains(error_text([&] { make_combiner(text, 3)->load_state_dict(before); }), "[2]"));
  }
}
