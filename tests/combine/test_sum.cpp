#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("Sum: golden values and gradients") {
  for_each_golden_case("sum", [](const TaskLosses& losses, const nlohmann::json& expected) {
    Sum sum;
    check_step(sum, losses, expected);
    CHECK(sum.total(losses).item<double>() == Approx(expected["value"].get<double>()));
  });
}

TEST_CASE("Sum: losses of any sign and of any task; it keeps no state") {
  Sum sum;
  const TaskLosses losses = only(constant_losses({-1.0, 2.0, -4.0}), {0, 2});
  CHECK(sum.combine(losses).item<double>() == -5);
  CHECK(sum.state_dict().is_empty());
  CHECK(contains(error_text([&] { sum.load_state_dict(named("epoch", torch::zeros({}))); }),
                 "keeps no state"));
}
