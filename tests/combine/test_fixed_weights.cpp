#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("FixedWeights: golden values and gradients") {
  for_each_golden_case("fixed", [](const TaskLosses& losses, const nlohmann::json& expected) {
    FixedWeights fixed(numbers(expected["weights"]));
    check_step(fixed, losses, expected);
    CHECK(fixed.total(losses).item<double>() == Approx(expected["value"].get<double>()));
  });
}

TEST_CASE("FixedWeights: the weights are those of the present tasks") {
  const TaskLosses losses = only(constant_losses({1.0, 2.0, 4.0}), {0, 2});
  CHECK(FixedWeights({0.5, 9.0, 0.25}).combine(losses).item<double>() == 1.5);
}

TEST_CASE("FixedWeights: weights that mean nothing are Errors") {
  CHECK(contains(error_text([] { FixedWeights(std::vector<double>{}); }), "no weight"));
  for (const double wrong : {not_a_number, infinity, -1.0})
    CHECK(contains(error_text([&] {
                     FixedWeights({1.0, wrong});
                   }),
                   "option weights is a list with"));
  CHECK(contains(error_text([] { FixedWeights({0.0, 0.0}); }), "all weights are 0"));
  FixedWeights two({1.0, 2.0});
  CHECK(contains(error_text([&] {
                   two.combine(constant_losses({1.0, 2.0, 3.0}));
                 }),
                 "2 fixed weights, but 3 tasks"));
  CHECK(contains(error_text([&] { two.set_task_count(3); }), "2 fixed weights, but 3 tasks"));
  two.set_task_count(2);
}
