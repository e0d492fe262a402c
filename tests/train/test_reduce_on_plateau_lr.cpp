#include "catch.hpp"
#include "error_text.hpp"
#include "golden.hpp"
#include "schedule_golden.hpp"
#include "scripted_run.hpp"

TEST_CASE("ReduceOnPlateauLr: reduces in the epochs in which torch's does") {
  int cases = 0;
  const auto golden_file = golden("schedules.json");
  for (const auto& c : golden_file["schedules"]) {
    if (c["name"] != "reduce_on_plateau") continue;
    ++cases;
    mtl::ReduceOnPlateauLr plateau{.factor = c["factor"], .patience = c["patience"]};
    double rate = c["lr"][0];
    for (size_t e = 0; e < c["metric"].size(); ++e) {
      CHECK(rate == Approx(c["lr"][e].get<double>()).epsilon(1e-12));
      if (plateau.reduces_after({c["metric"][e].get<double>()})) rate *= plateau.factor;
    }
  }
  CHECK(cases == 1);
}

TEST_CASE("ReduceOnPlateauLr: below zero a worsening is none the better") {
  ScriptedRun worsens({mtl::ReduceOnPlateauLr{.factor = 0.5, .patience = 1}});
  for (double loss : {-1.0, -0.9, -0.8}) worsens.epoch({loss, 0});
  CHECK(worsens.rate() == 0.05);
  ScriptedRun improves({mtl::ReduceOnPlateauLr{.factor = 0.5, .patience = 1}});
  for (double loss : {-1.0, -1.1, -1.2, -1.3}) improves.epoch({loss, 0});
  CHECK(improves.rate() == 0.1);
}

TEST_CASE("ReduceOnPlateauLr: a metric that rises is no plateau") {
  ScriptedRun run({mtl::ReduceOnPlateauLr{.patience = 0, .watch = {"a", "accuracy"}}});
  for (double accuracy : {0.5, 0.6, 0.7}) run.epoch({1, 1}, {{1, accuracy}, {1, 0}});
  CHECK(run.rate() == 0.1);
  run.epoch({1, 1}, {{1, 0.6}, {1, 0}});
  CHECK(run.rate() == Approx(0.01));
}

TEST_CASE("ReduceOnPlateauLr: reduces what a schedule beside it gives, in either order") {
  const auto check = [](std::vector<mtl::Callback> callbacks) {
    ScriptedRun run(std::move(callbacks));
    run.epoch({1, 1});
    run.epoch({2, 2});  // no better: from the next epoch on half
    run.epoch({0.5, 0.5});
    CHECK(run.state.history.last().learning_rate == Approx(0.1 * 0.5 * 0.5));
    run.epoch({0.4, 0.4});
    CHECK(run.state.history.last().learning_rate == Approx(0.1 * 0.5 * 0.5));
    run.epoch({0.3, 0.3});
    CHECK(run.state.history.last().learning_rate == Approx(0.1 * 0.25 * 0.5));
  };
  const mtl::ReduceOnPlateauLr plateau{.factor = 0.5, .patience = 0};
  const mtl::StepLr step{.step_size = 2, .gamma = 0.5};
  check({plateau, step});
  check({step, plateau});
}

TEST_CASE("ReduceOnPlateauLr: stops at min_lr") {
  ScriptedRun run({mtl::ReduceOnPlateauLr{.patience = 0, .min_lr = 0.02}});
  for (int e = 0; e < 4; ++e) run.epoch({1, 1});
  CHECK(run.rate() == Approx(0.02));
}

TEST_CASE("ReduceOnPlateauLr: options that make no sense are errors when it joins") {
  using Plateau = mtl::ReduceOnPlateauLr;
  CHECK(joining_error(Plateau{}).empty());
  CHECK(contains(joining_error(Plateau{.factor = 1}), "ReduceOnPlateauLr: found factor 1"));
  CHECK(contains(joining_error(Plateau{.factor = std::nan("")}), "found factor nan"));
  CHECK(contains(joining_error(Plateau{.patience = -1}), "found patience -1"));
  CHECK(contains(joining_error(Plateau{.threshold = -1}), "found threshold -1"));
  CHECK(contains(joining_error(Plateau{.min_lr = std::nan("")}), "found min_lr nan"));
}
