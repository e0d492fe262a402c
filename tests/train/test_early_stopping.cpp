#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "golden.hpp"
#include "schedule_golden.hpp"
#include "scripted_run.hpp"

TEST_CASE("EarlyStopping: strictly worse counts, equal or better resets") {
  const auto golden_file = golden("schedules.json");
  REQUIRE(!golden_file["early_stopping"].empty());
  for (const auto& c : golden_file["early_stopping"]) {
    mtl::EarlyStopping stopping{.patience = c["patience"]};
    int stopped = -1, epoch = 0;
    for (double value : c["values"]) {
      if (stopping.stops_after({value})) {
        stopped = epoch;
        break;
      }
      ++epoch;
    }
    CHECK(stopped == (c["stops_after_epoch"].is_null() ? -1 : c["stops_after_epoch"].get<int>()));
  }
}

TEST_CASE("EarlyStopping: a metric is followed in its own direction") {
  mtl::EarlyStopping stopping{.patience = 2, .watch = {"b", "accuracy"}};
  ScriptedRun run({stopping});
  for (double accuracy : {0.5, 0.6, 0.7, 0.6}) {
    run.epoch({1, 1}, {{0, 0}, {0, accuracy}});
    CHECK_FALSE(run.state.stopped());
  }
  run.epoch({1, 1}, {{0, 0}, {0, 0.65}});
  CHECK(run.state.stopped());
  CHECK(stopping.best.value == 0.7);
}

TEST_CASE("EarlyStopping: an epoch without a rare task's loss is not the best") {
  mtl::EarlyStopping stopping{.patience = 2};
  ScriptedRun run({stopping});
  run.epoch({1, 5});
  run.epoch({0.9, std::nan("")});
  CHECK(stopping.best.value == 6);
  CHECK_FALSE(run.state.stopped());
  run.epoch({0.9, 4});
  CHECK(stopping.best.value == Approx(4.9));
  CHECK(stopping.worse_epochs == 0);
}

TEST_CASE("EarlyStopping: a fit that is no resume begins with nothing remembered") {
  mtl::EarlyStopping stopping{.patience = 2};
  ScriptedRun first({stopping});
  first.epoch({1, 1});
  first.epoch({2, 2});
  first.epoch({2, 2});
  CHECK(first.state.stopped());
  ScriptedRun second({stopping});
  CHECK_FALSE(second.state.stopped());
  second.epoch({5, 5});
  CHECK(stopping.best.value == 10);
  CHECK(stopping.worse_epochs == 0);
}

TEST_CASE("EarlyStopping: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::EarlyStopping{}).empty());
  CHECK(contains(joining_error(mtl::EarlyStopping{.patience = 0}), "found patience 0"));
}
