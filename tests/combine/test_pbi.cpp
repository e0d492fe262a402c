#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("Pbi: golden values and gradients") {
  for_each_golden_case("pbi", [](const TaskLosses& losses, const nlohmann::json& expected) {
    Pbi pbi({.weights = numbers(expected["weights"]),
             .theta = expected["theta"],
             .reference = numbers(expected["reference"])});
    check_step(pbi, losses, expected);
    CHECK(pbi.total(losses).item<double>() == Approx(expected["value"].get<double>()));
  });
}

TEST_CASE("Pbi: equal weights, absent tasks, losses on the ray, one task") {
  CHECK(Pbi({.theta = 0}).combine(only(constant_losses({3, 9, 4}), {0, 2})).item<double>() ==
        Approx(7 / std::sqrt(2.0)));
  Pbi first({.weights = {1, 0, 0}});
  CHECK(std::isfinite(first.combine(only(constant_losses({3, 9, 4}), {1, 2})).item<double>()));
  for (const auto& row : {std::vector<double>{2, 2}, std::vector<double>{0, 0}, {0.5}}) {
    const TaskLosses losses = constant_losses(row);
    const Tensor value = Pbi().combine(losses);
    value.backward();
    CHECK(std::isfinite(value.item<double>()));
    for (const Tensor& loss : losses.values) CHECK(std::isfinite(loss.grad().item<double>()));
  }
}

TEST_CASE("Pbi: options that mean nothing are Errors") {
  for (const double wrong : {-1.0, not_a_number, infinity}) {
    CHECK(contains(error_text([&] { Pbi({.theta = wrong}); }), "theta"));
    CHECK(contains(error_text([&] { Pbi({.weights = {1, wrong}}); }), "weights"));
  }
  for (const double wrong : {not_a_number, infinity})
    CHECK(contains(error_text([&] { Pbi({.reference = {wrong}}); }), "reference"));
  CHECK(contains(error_text([] { Pbi({.weights = {0, 0}}); }), "weights"));
  Pbi two({.reference = {1, 2}});
  CHECK(contains(error_text([&] { two.set_task_count(3); }), "2 reference losses, but 3 tasks"));
}
