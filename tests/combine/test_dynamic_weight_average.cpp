#include "loss_checks.hpp"

using namespace loss_checks;

namespace {

/// The weights after epochs with these means of three tasks.
Tensor weights_after(DynamicWeightAverage& dwa, const std::vector<std::vector<double>>& epochs) {
  for (const auto& means : epochs) {
    dwa.combine(constant_losses(means));
    dwa.end_epoch();
  }
  return dwa.weights();
}

}  // namespace

TEST_CASE("DynamicWeightAverage: golden weights by epoch") {
  for (const auto& c : golden("scalarizers.json")["cases"]) {
    const auto& expected = c["expected"]["dwa"];
    DynamicWeightAverage dwa({.temperature = expected["temperature"]});
    for (size_t epoch = 0; epoch < c["losses"].size(); ++epoch) {
      for (const double factor : {0.5, 1.5}) {  // two steps with the epoch's mean
        std::vector<double> step = numbers(c["losses"][epoch]);
        for (double& loss : step) loss *= factor;
        dwa.combine(constant_losses(step));
      }
      check_close(dwa.weights(), tensor_of(expected["weights_by_epoch"][epoch]));
      dwa.end_epoch();
    }
  }
}

TEST_CASE("DynamicWeightAverage: a mean of zero leaves the weights bounded") {
  const auto sums_to_three = [](const Tensor& weights) {
    INFO(weights);
    CHECK(weights.isfinite().all().item<bool>());
    CHECK(weights.ge(0).all().item<bool>());
    CHECK(weights.sum().item<double>() == Approx(3));
  };
  DynamicWeightAverage dwa;
  sums_to_three(weights_after(dwa, {{1, 1, 1}, {0, 1, 1}}));
  CHECK(dwa.weights()[0].item<double>() < dwa.weights()[1].item<double>());
  sums_to_three(weights_after(dwa, {{1, 1, 1}}));
  CHECK(dwa.weights()[0].item<double>() > dwa.weights()[1].item<double>());
  sums_to_three(weights_after(dwa, {{1, 1, 1}}));
  check_close(dwa.weights(), torch::ones({3}, torch::kDouble));
  DynamicWeightAverage still;
  check_close(weights_after(still, {{0, 1, 2}, {0, 1, 2}}), torch::ones({3}, torch::kDouble));
  DynamicWeightAverage cold({.temperature = 1e-6});
  sums_to_three(weights_after(cold, {{1e-300, 1, 1}, {1e300, 1, 0}}));
}

TEST_CASE("DynamicWeightAverage: an absent task keeps its means") {
  DynamicWeightAverage dwa;
  weights_after(dwa, {{1, 1, 1}, {0.5, 1, 2}});
  const Tensor before = dwa.weights();
  dwa.combine(only(constant_losses({0.25, 9.0, 4.0}), {0, 2}));
  dwa.end_epoch();
  check_close(dwa.weights(), before);  // the ratios of the others are as they were
}

TEST_CASE("DynamicWeightAverage: states, and a step that is refused leaves none") {
  check_resume([] { return std::make_unique<DynamicWeightAverage>(); });
  DynamicWeightAverage dwa;
  dwa.combine(constant_losses({1.0, 2.0}));
  const NamedTensors before = dwa.state_dict();
  for (const double wrong : {-1.0, not_a_number, infinity})
    CHECK(contains(error_text([&] { dwa.combine(constant_losses({1.0, wrong})); }), "task \"1\""));
  check_same(dwa.state_dict(), before);
  NamedTensors wrong = dwa.state_dict();
  wrong["steps"] = torch::zeros({3});
  CHECK(contains(error_text([&] { dwa.load_state_dict(wrong); }), "\"steps\" of shape [3]"));
  CHECK(dwa.total(constant_losses({2.0, 4.0})).item<double>() == 6);
}

TEST_CASE("DynamicWeightAverage: a temperature that means nothing is an Error") {
  for (const double wrong : {0.0, -1.0, not_a_number, infinity})
    CHECK(
        contains(error_text([&] { DynamicWeightAverage({.temperature = wrong}); }), "temperature"));
}
