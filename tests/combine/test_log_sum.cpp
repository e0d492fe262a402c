#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("LogSum: the sum of the logarithms, and its gradients") {
  LogSum log_sum;
  const TaskLosses losses = constant_losses({0.5, 2.0, 4.0});
  const Tensor value = log_sum.combine(losses);
  CHECK(value.item<double>() == Approx(std::log(4.0)));
  value.backward();
  check_close(gradients(losses.values), torch::tensor({2.0, 0.5, 0.25}, torch::kDouble));
  CHECK(log_sum.total(losses).item<double>() == Approx(std::log(4.0)));
  CHECK(log_sum.combine(only(losses, {0, 2})).item<double>() == Approx(std::log(2.0)));
}

TEST_CASE("LogSum: a loss that is not positive is an Error") {
  for (const double wrong : {0.0, -1.0}) {
    const std::string text = error_text([&] { LogSum().combine(constant_losses({1.0, wrong})); });
    CHECK(contains(text, "task \"1\""));
    CHECK(contains(text, "log_sum needs losses above zero"));
  }
}
