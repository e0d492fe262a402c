#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("KendallUncertainty: golden values and gradients") {
  for (const auto& c : golden("scalarizers.json")["cases"]) {
    const auto& expected = c["expected"]["kendall"];
    const auto regression = expected["regression"].get<std::vector<bool>>();
    TaskLosses losses = losses_of(c["losses"][0]);
    losses.kinds = kinds(regression);
    KendallUncertainty kendall;
    kendall.load_state_dict(named("log_variance", tensor_of(expected["log_variance"])));
    check_step(kendall, losses, expected);

    TaskLosses again = losses_of(c["losses"][0]);
    again.kinds = kinds(regression);
    const auto& alike = c["expected"]["uncertainty_half"];
    KendallUncertainty half({.form = KendallUncertainty::Form::every_task_as_regression});
    half.load_state_dict(named("log_variance", tensor_of(alike["log_variance"])));
    check_step(half, again, alike);
  }
}

TEST_CASE("KendallUncertainty: in a loop of one's own, the losses say their kinds") {
  // .5 e^-s 2 + e^-s' 3 + .5 (s + s') at s = s' = 0: value 1 + 3, gradients .5 and 1 to the losses,
  // -1 + .5 and -3 + .5 to s.
  using namespace torch::nn;
  torch::manual_seed(1);
  Linear encoder(2, 3), level(3, 1), weather(3, 4);
  KendallUncertainty combiner(2);
  std::vector<Tensor> all = encoder->parameters();
  for (const auto& list : {level->parameters(), weather->parameters(), combiner.parameters()})
    all.insert(all.end(), list.begin(), list.end());
  torch::optim::SGD sgd(all, 0.1);
  const Tensor x = torch::randn({5, 2}), classes = torch::tensor({0, 1, 2, 3, 0});
  double before = 0;
  for (int step = 0; step < 2; ++step) {
    sgd.zero_grad();
    const Tensor z = torch::tanh(encoder(x));
    const Tensor first = torch::mse_loss(level(z).squeeze(1), x.select(1, 0));
    const Tensor second = torch::cross_entropy_loss(weather(z), classes);
    const auto s = combiner.parameters();
    const double expected = 0.5 * std::exp(-s[0].item<double>()) * first.item<double>() +
                            std::exp(-s[1].item<double>()) * second.item<double>() +
                            0.5 * (s[0].item<double>() + s[1].item<double>());
    const TaskLosses losses =
        task_losses({first, second}, {LossKind::regression, LossKind::classification});
    CHECK(combiner.combine(losses).item<double>() == Approx(expected));
    combiner.backward(losses, {.shared = encoder->parameters(),
                               .by_task = {level->parameters(), weather->parameters()}});
    CHECK(s[0].grad().item<double>() ==
          Approx(0.5 - 0.5 * std::exp(-s[0].item<double>()) * first.item<double>()));
    CHECK(s[1].grad().item<double>() ==
          Approx(0.5 - std::exp(-s[1].item<double>()) * second.item<double>()));
    CHECK(encoder->weight.grad().defined());
    const double sum = first.item<double>() + second.item<double>();
    if (step == 1) CHECK(sum < before);
    before = sum;
    sgd.step();
  }
}

TEST_CASE("KendallUncertainty: kinds in batches where a task is absent") {
  KendallUncertainty combiner;
  TaskLosses losses = constant_losses({1.0, 2.0, 4.0});
  losses.kinds = kinds({true, true, false});
  CHECK(combiner.combine(losses).item<double>() == Approx(0.5 + 1 + 4));
  TaskLosses some = only(losses, {0, 2});
  some.kinds = kinds({true, false});
  CHECK(combiner.combine(some).item<double>() == Approx(0.5 + 4));
  TaskLosses one = only(losses, {2});
  one.kinds = kinds({false});
  CHECK(combiner.combine(one).item<double>() == Approx(4));
  KendallUncertainty alike(3, {.form = KendallUncertainty::Form::every_task_as_regression});
  CHECK(alike.combine(losses).item<double>() == Approx(3.5));
}

TEST_CASE("KendallUncertainty: parameters follow the losses' type, an optimizer keeps them") {
  KendallUncertainty kendall(2, {.log_variance = 0.5});
  const std::vector<Tensor> held = kendall.parameters();
  torch::optim::SGD sgd(held, 1.0);
  TaskLosses losses = constant_losses({1.0, 2.0});
  for (Tensor& value : losses.values) value = value.to(torch::kFloat);
  kendall.combine(losses).backward();
  sgd.step();
  for (const Tensor& parameter : held) CHECK(parameter.scalar_type() == torch::kFloat);
  check_close(kendall.state_dict()["log_variance"].to(torch::kDouble),
              torch::tensor({0.5 - 0.5 + 0.5 * std::exp(-0.5), std::exp(-0.5)}, torch::kDouble),
              1e-6);
}

TEST_CASE("KendallUncertainty: a start that is not finite is an Error") {
  for (const double wrong : {not_a_number, infinity, -infinity}) {
    CHECK(
        contains(error_text([&] { KendallUncertainty({.log_variance = wrong}); }), "log_variance"));
  }
}

TEST_CASE("KendallUncertainty: an absent task has no term and no gradient, and its number rests") {
  KendallUncertainty combiner(3);
  const std::vector<Tensor> parameters = combiner.parameters();
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(0.1));
  combiner.combine(constant_losses({0.7, 3.0, 2.1})).backward();
  adam.step();
  const double before = parameters[1].item<double>();
  CHECK(before != 0);
  for (int step = 0; step < 5; ++step) {
    for (const Tensor& parameter : parameters) parameter.mutable_grad().reset();
    combiner.combine(only(constant_losses({0.7, 3.0, 2.1}), {0, 2})).backward();
    CHECK_FALSE(parameters[1].grad().defined());
    adam.step();
  }
  CHECK(parameters[1].item<double>() == before);
  CHECK(parameters[0].item<double>() != before);
}

TEST_CASE(
    "KendallUncertainty: a state is one tensor, and one from before the first step is one too") {
  KendallUncertainty combiner(2);
  combiner.load_state_dict(named("log_variance", torch::tensor({0.5, -0.25}, torch::kDouble)));
  check_close(combiner.state_dict()["log_variance"], torch::tensor({0.5, -0.25}, torch::kDouble));
  CHECK(combiner.parameters()[1].item<double>() == -0.25);
  check_resume([] { return std::make_unique<KendallUncertainty>(); });
  check_resume([] { return std::make_unique<KendallUncertainty>(3); });
  CHECK(contains(error_text([&] { combiner.load_state_dict(named("logits", torch::zeros({2}))); }),
                 "no \"log_variance\""));
  CHECK(contains(
      error_text([&] { combiner.load_state_dict(named("log_variance", torch::zeros({3}))); }),
      "[3]"));
  CHECK(combiner.parameters()[1].item<double>() == -0.25);
}

TEST_CASE("KendallUncertainty: what it is watched by stands still with the losses") {
  KendallUncertainty combiner(2);
  const TaskLosses losses = constant_losses({2.0, 4.0});
  CHECK(combiner.total(losses).item<double>() == 6);
  combiner.load_state_dict(named("log_variance", torch::tensor({1.0, -3.0})));
  CHECK(combiner.total(losses).item<double>() == 6);
}

TEST_CASE("KendallUncertainty: a negative loss, an unknown count, another one") {
  KendallUncertainty combiner;
  CHECK(contains(error_text([&] { combiner.parameters(); }), "how many tasks"));
  const std::string text = error_text([&] { combiner.combine(constant_losses({1.0, -0.5})); });
  CHECK(
      contains(text, "task \"1\": its loss is -0.5, but kendall needs losses that are not below"));
  CHECK(combiner.state_dict()["log_variance"].numel() == 0);
  CHECK(std::isfinite(combiner.combine(constant_losses({1.0, 0.0})).item<double>()));
  CHECK(combiner.parameters().size() == 2);
  CHECK(contains(error_text([&] {
                   combiner.combine(constant_losses({1.0, 1.0, 1.0}));
                 }),
                 "2 tasks, but there are 3"));
  CHECK(contains(error_text([&] { combiner.set_task_count(3); }), "2 tasks, but there are 3"));
}
