#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("Mean: golden values and gradients") {
  for_each_golden_case("mean", [](const TaskLosses& losses, const nlohmann::json& expected) {
    Mean mean;
    check_step(mean, losses, expected);
    CHECK(mean.total(losses).item<double>() == Approx(expected["value"].get<double>()));
  });
}

TEST_CASE("Mean: over the tasks of the batch") {
  const TaskLosses losses = only(constant_losses({-1.0, 2.0, 4.0}), {0, 2});
  CHECK(Mean().combine(losses).item<double>() == 1.5);
}
