#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("Stch: golden values and gradients") {
  for (const char* name : {"stch_mu_0.1", "stch_mu_1"}) {
    for_each_golden_case(name, [](const TaskLosses& losses, const nlohmann::json& expected) {
      Stch stch({.mu = expected["mu"],
                 .weights = numbers(expected["weights"]),
                 .reference = numbers(expected["reference"])});
      check_step(stch, losses, expected);
      CHECK(stch.total(losses).item<double>() == Approx(expected["value"].get<double>()));
    });
  }
  for_each_golden_case("stch_libmtl_mu_1", [](const TaskLosses& losses,
                                              const nlohmann::json& expected) {
    Stch stch({.mu = expected["mu"], .warm_up_epochs = 1});
    const Tensor value = stch.combine(losses);  // sum log l
    CHECK(value.item<double>() == Approx(torch::stack(losses.values).log().sum().item<double>()));
    stch.end_epoch();
    stch.combine(losses_of(expected["nadir"]));
    stch.end_epoch();
    check_step(stch, losses, expected);
    CHECK(stch.total(losses).item<double>() ==
          Approx(torch::stack(losses.values).sum().item<double>()));
  });
}

TEST_CASE("Stch: equal weights of absent tasks go to nobody; a task without nadir has 1") {
  CHECK(Stch({.mu = 1e-6}).combine(only(constant_losses({3.0, 9.0, 6.0}), {0, 2})).item<double>() ==
        Approx(2));
  Stch warmed({.mu = 1e-6, .warm_up_epochs = 1});
  warmed.combine(constant_losses({1.0, 1.0, 1.0}));
  warmed.end_epoch();
  warmed.combine(only(constant_losses({4.0, 1.0, 2.0}), {0, 2}));
  warmed.end_epoch();
  CHECK(warmed.combine(constant_losses({4.0, std::exp(1.0), 2.0})).item<double>() ==
        Approx(3).epsilon(1e-4));
}

TEST_CASE("Stch: any sign without warm-up, positive losses with it") {
  CHECK(std::isfinite(Stch().combine(constant_losses({-1.0, 2.0})).item<double>()));
  Stch warmed({.warm_up_epochs = 1});
  for (const double wrong : {0.0, -1.0})
    CHECK(contains(error_text([&] {
                     warmed.combine(constant_losses({1.0, wrong}));
                   }),
                   "task \"1\": its loss is " + std::string(wrong == 0 ? "0" : "-1")));
}

TEST_CASE("Stch: states") {
  check_resume([] { return std::make_unique<Stch>(); });
  check_resume([] { return std::make_unique<Stch>(Stch::Options{.warm_up_epochs = 1}); });
  Stch warmed({.warm_up_epochs = 1});
  NamedTensors state = warmed.state_dict();
  state["epoch"] = torch::tensor({1, 2});
  CHECK(contains(error_text([&] { warmed.load_state_dict(state); }), "\"epoch\" of shape [2]"));
  CHECK(
      contains(error_text([&] { Stch().load_state_dict(warmed.state_dict()); }), "keeps no state"));
}

TEST_CASE("Stch: options that mean nothing are Errors") {
  for (const double wrong : {0.0, -1.0, not_a_number, infinity})
    CHECK(contains(error_text([&] { Stch({.mu = wrong}); }), "mu"));
  for (const double wrong : {-1.0, not_a_number, infinity})
    CHECK(contains(error_text([&] { Stch({.weights = {1, wrong}}); }), "weights"));
  CHECK(contains(error_text([] { Stch({.weights = {0, 0}}); }), "weights"));
  for (const double wrong : {not_a_number, infinity})
    CHECK(contains(error_text([&] { Stch({.reference = {wrong}}); }), "reference"));
  CHECK(contains(error_text([] { Stch({.warm_up_epochs = -1}); }), "warm_up_epochs"));
  Stch two({.weights = {1, 2}});
  CHECK(contains(error_text([&] { two.set_task_count(3); }), "2 weights, but 3 tasks"));
  CHECK(contains(error_text([&] { two.combine(constant_losses({1, 2, 3})); }), "2 weights"));
}
