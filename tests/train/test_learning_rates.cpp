#include "catch.hpp"
#include "error_text.hpp"
#include "scripted_run.hpp"

namespace {

std::vector<double> rates_of(const mtl::History& history) {
  std::vector<double> rates;
  for (const auto& record : history.epochs) rates.push_back(record.learning_rate);
  return rates;
}

/// A schedule of one's own with hooks and a memory.
struct HalfWhenTold {
  bool told = false;
  double rate(double base, int64_t /*epoch*/) const { return told ? base / 2 : base; }
  void on_epoch_end(mtl::TrainState& state) { told = state.epoch >= 2; }
  mtl::NamedTensors state_dict() const { return {{"told", torch::tensor({told ? 1 : 0})}}; }
  void load_state_dict(const mtl::NamedTensors& state) { told = state["told"].item<int>() == 1; }
};

}  // namespace

TEST_CASE("LearningRates: the optimizer gets its rates back, and a second fit starts anew") {
  torch::manual_seed(0);
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {2}}), two_tasks());
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::FixedWeights combiner({1, 1});
  const auto x = torch::randn({8, 2});
  mtl::BatchLoader loader(mtl::TensorDataset({{"x", x}}, {{"a", x.sum(1)}, {"b", x.sum(1)}}),
                          {.batch_size = 4});
  const auto fit = [&](auto&&... callbacks) {
    return rates_of(mtl::Trainer(model, sgd, combiner, {.epochs = 3})
                        .fit(loader, mtl::NoValidation{}, callbacks...)
                        .history);
  };
  const mtl::StepLr by_ten{.step_size = 1, .gamma = 0.1};
  const std::vector<double> expected = {by_ten.rate(0.01, 0), by_ten.rate(0.01, 1),
                                        by_ten.rate(0.01, 2)};
  CHECK(fit(by_ten) == expected);
  CHECK(mtl::learning_rates(sgd) == std::vector<double>{0.01});
  CHECK(fit(by_ten) == expected);
  const auto cycle = fit(mtl::OneCycleLr{});
  CHECK(cycle[0] == Approx(0.01 / 25));
  CHECK(fit(mtl::ReduceOnPlateauLr{.patience = 0, .threshold = 10}, by_ten) != expected);
  CHECK(fit() == std::vector<double>{0.01, 0.01, 0.01});

  std::vector<mtl::Callback> list{mtl::OneCycleLr{}, by_ten};
  const auto both = fit(list[0], list[1]);
  for (size_t e = 0; e < 3; ++e) CHECK(both[e] == Approx(cycle[e] * std::pow(0.1, e)));
  CHECK(fit(list[0], list[1]) == both);
}

TEST_CASE("LearningRates: schedules multiply, in any order") {
  const auto rates = [](std::vector<mtl::Callback> callbacks) {
    ScriptedRun run(std::move(callbacks));
    for (int e = 0; e < 6; ++e) run.epoch({1, 1});
    return rates_of(run.state.history);
  };
  const mtl::LinearWarmUpLr warm_up{.start_factor = 0.1, .total = 3};
  const mtl::CosineLr cosine{.t_max = 6};
  const mtl::StepLr step{.step_size = 2, .gamma = 0.5};
  const auto one = rates({warm_up, cosine, step}), other = rates({step, warm_up, cosine});
  for (int64_t e = 0; e < 6; ++e) {
    const double product = warm_up.rate(1, e) * cosine.rate(1, e) * step.rate(1, e);
    CHECK(one[static_cast<size_t>(e)] == Approx(0.1 * product));
    CHECK(other[static_cast<size_t>(e)] == Approx(0.1 * product));
  }
}

TEST_CASE("Schedule: hooks and memory of one of one's own are used") {
  HalfWhenTold schedule;
  std::vector<mtl::Callback> callbacks{schedule};
  REQUIRE(callbacks[0].load_state_dict);
  ScriptedRun run(callbacks);
  for (int e = 0; e < 4; ++e) run.epoch({1, 1});
  CHECK(rates_of(run.state.history) == std::vector<double>{0.1, 0.1, 0.05, 0.05});
  CHECK(schedule.told);
}

TEST_CASE("Schedule: what it would do in the run is its identity") {
  ScriptedRun run({mtl::StepLr{.step_size = 2, .gamma = 0.5}}, true, 4);
  const mtl::Callback same = mtl::StepLr{.step_size = 2, .gamma = 0.5};
  const mtl::Callback other = mtl::StepLr{.step_size = 2, .gamma = 0.4};
  CHECK(same.name == "mtl::StepLr");
  CHECK(same.identity(run.state) ==
        std::vector<std::string>{"rate 1 at 0", "rate 1 at 1", "rate 0.5 at 2", "rate 0.5 at 3"});
  CHECK(other.identity(run.state) != same.identity(run.state));
}

TEST_CASE("LearningRates: fewer rates than groups are an Error") {
  torch::optim::SGD sgd({torch::ones({1}).requires_grad_()}, 0.1);
  mtl::LearningRates rates(sgd);
  CHECK(contains(error_text([&] { rates.set(&sgd, {}); }),
                 "learning rates: found 0 for 1 parameter groups"));
}
