#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("Cosmos: golden values and gradients") {
  for_each_golden_case("cosmos", [](const TaskLosses& losses, const nlohmann::json& expected) {
    Cosmos cosmos({.weights = numbers(expected["weights"]), .lambda = expected["lambda_"]});
    check_step(cosmos, losses, expected);
    CHECK(cosmos.total(losses).item<double>() == Approx(expected["value"].get<double>()));
  });
}

TEST_CASE("Cosmos: equal weights, absent tasks, losses of zero, one task") {
  CHECK(Cosmos({.lambda = 0}).combine(only(constant_losses({3, 9, 6}), {0, 2})).item<double>() ==
        Approx(3));
  for (const auto& row : {std::vector<double>{0, 0}, std::vector<double>{0.5}}) {
    const TaskLosses losses = constant_losses(row);
    const Tensor value = Cosmos().combine(losses);
    value.backward();
    CHECK(std::isfinite(value.item<double>()));
    for (const Tensor& loss : losses.values) CHECK(std::isfinite(loss.grad().item<double>()));
  }
}

TEST_CASE("Cosmos: options that mean nothing are Errors") {
  for (const double wrong : {-1.0, not_a_number, infinity}) {
    CHECK(contains(error_text([&] { Cosmos({.lambda = wrong}); }), "lambda"));
    CHECK(contains(error_text([&] { Cosmos({.weights = {1, wrong}}); }), "weights"));
  }
  CHECK(contains(error_text([] { Cosmos({.weights = {0, 0}}); }), "weights"));
  Cosmos two({.weights = {1, 2}});
  CHECK(contains(error_text([&] { two.set_task_count(3); }), "2 weights, but 3 tasks"));
}
