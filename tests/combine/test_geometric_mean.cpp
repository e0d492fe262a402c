#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("GeometricMean: golden values and gradients") {
  for_each_golden_case(
      "geometric_mean", [](const TaskLosses& losses, const nlohmann::json& expected) {
        GeometricMean mean;
        check_step(mean, losses, expected);
        CHECK(mean.total(losses).item<double>() == Approx(expected["value"].get<double>()));
      });
}

TEST_CASE("GeometricMean: over the tasks of the batch, whose losses are positive") {
  GeometricMean mean;
  CHECK(mean.combine(only(constant_losses({2.0, 9.0, 8.0}), {0, 2})).item<double>() == Approx(4));
  for (const double wrong : {0.0, -1.0}) {
    const std::string text = error_text([&] { mean.combine(constant_losses({1.0, wrong})); });
    CHECK(contains(text, "task \"1\""));
    CHECK(contains(text, "geometric_mean needs losses above zero"));
    CHECK(contains(text, "sum, mean, fixed"));
  }
}
