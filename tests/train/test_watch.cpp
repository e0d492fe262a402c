#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "scripted_run.hpp"

namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

mtl::EpochScore total_over(double value, std::vector<bool> tasks) {
  return {value, mtl::Better::lower, std::move(tasks)};
}

}  // namespace

TEST_CASE("is_better: what has no value beats nothing, and every value beats it") {
  CHECK_FALSE(mtl::is_better({no_value}, {no_value}));
  CHECK_FALSE(mtl::is_better({no_value}, {1.0}));
  CHECK(mtl::is_better({1.0}, {no_value}));
  CHECK_FALSE(mtl::is_better({1.0}, {1.0}));
  CHECK(mtl::is_as_good({1.0}, {1.0}));
  CHECK_FALSE(mtl::is_as_good({no_value}, {no_value}));
}

TEST_CASE("is_better: the direction is the metric's, the margin relative to |best|") {
  using mtl::Better;
  CHECK(mtl::is_better({0.9, Better::higher}, {0.8, Better::higher}));
  CHECK_FALSE(mtl::is_better({0.8, Better::higher}, {0.9, Better::higher}));
  // Below zero: -1.05 is better than -1 by 5 %.
  CHECK(mtl::is_better({-1.05}, {-1.0}, 0.04));
  CHECK_FALSE(mtl::is_better({-1.05}, {-1.0}, 0.06));
  CHECK_FALSE(mtl::is_better({-0.95}, {-1.0}, 0.06));
  CHECK(mtl::is_better({1.05, Better::higher}, {1.0, Better::higher}, 0.04));
  CHECK_FALSE(mtl::is_better({-1.0, Better::higher}, {-1.0, Better::higher}, 0.1));
  CHECK(mtl::is_better({-1.0}, {0.0}, 0.1));
}

TEST_CASE("is_better: totals over other tasks are no smaller for having fewer of them") {
  CHECK_FALSE(mtl::is_better(total_over(1, {true, false}), total_over(3, {true, true})));
  CHECK_FALSE(mtl::is_as_good(total_over(3, {true, false}), total_over(3, {true, true})));
  CHECK(mtl::is_better(total_over(3, {true, true}), total_over(1, {true, false})));
  CHECK_FALSE(mtl::is_better(total_over(1, {false, true}), total_over(2, {true, false})));
}

TEST_CASE("Watch: a task's loss, a task's metric with its direction, a function with a direction") {
  ScriptedRun run({});
  run.epoch({1, 2}, {{0.5, 0.8}, {0.6, 0.7}});
  const auto& record = run.state.history.last();
  CHECK(mtl::Watch().score(record).value == 3);
  CHECK(mtl::Watch("b").score(record).value == 2);
  CHECK(mtl::Watch("b", "accuracy").score(record).value == 0.7);
  CHECK(mtl::Watch("b", "accuracy").score(record).better == mtl::Better::higher);
  CHECK(mtl::Watch("b", "error").score(record).better == mtl::Better::lower);
  const mtl::Watch function{[](const mtl::EpochRecord& r) { return r.valid("a", "error"); },
                            mtl::Better::higher};
  CHECK(function.score(record).value == 0.5);
  CHECK(function.score(record).better == mtl::Better::higher);
}

TEST_CASE("Watch: a weighted mean of several tasks") {
  ScriptedRun run({});
  run.epoch({1, 4}, {{0.5, 0.8}, {0.6, 0.5}});
  run.epoch({1, no_value}, {{0.5, 0.8}, {0.6, 0.5}});
  const auto& record = run.state.history.at(1);
  CHECK(mtl::mean_of({{"a"}, {"b"}}).score(record).value == 2.5);
  CHECK(mtl::mean_of({{"a", "loss", 2}, {"b"}}).score(record).value == 2);
  const auto accuracy = mtl::mean_of({{"a", "accuracy"}, {"b", "accuracy", 0.5}});
  CHECK(accuracy.score(record).value == Approx(0.7));
  CHECK(accuracy.score(record).better == mtl::Better::higher);
  CHECK(accuracy.text() == "mean of 1 a accuracy, 0.5 b accuracy");
  CHECK(std::isnan(mtl::mean_of({{"a"}, {"b"}}).score(run.state.history.at(2)).value));
}

TEST_CASE("Watch: a mean that makes no sense is an error") {
  const auto text = [](std::vector<mtl::WatchedTask> tasks) {
    return error_text([&] { ScriptedRun({mtl::EarlyStopping{.watch = mtl::mean_of(tasks)}}); });
  };
  CHECK(text({{"a"}, {"b", "error"}}).empty());
  CHECK(contains(text({}), "found no task"));
  CHECK(contains(text({{"a", "loss", 0}}), "found weight 0 of task \"a\""));
  CHECK(contains(text({{"a"}, {"sky"}}), "EarlyStopping: cannot watch mean of 1 a loss, 1 sky"));
  CHECK(contains(text({{"a"}, {"b", "accuracy"}}), "get better in opposite ways"));
}

TEST_CASE("Watch: what is not there is an error when the run begins") {
  const auto text = [](mtl::Watch watch, bool validation = true) {
    return error_text([&] { ScriptedRun({mtl::EarlyStopping{.watch = watch}}, validation); });
  };
  CHECK(text({"a"}).empty());
  CHECK(contains(text({"sky"}), "task \"sky\""));
  CHECK(contains(text({"sky"}), "\"a\", \"b\""));
  CHECK(contains(text({"a", "recall"}), "\"loss\", \"error\", \"accuracy\""));
  CHECK(contains(text({"a", "accuracy"}, false), "no validation data"));
  CHECK(contains(text({"a"}, false), "EarlyStopping"));
  CHECK_THROWS_AS(ScriptedRun({mtl::BestModel{.watch = {"sky"}}}), mtl::Error);
  CHECK_THROWS_AS(ScriptedRun({mtl::ReduceOnPlateauLr{.watch = {"sky"}}}), mtl::Error);
}

TEST_CASE("Watch: a function that reads what a run without validation lacks is an error") {
  ScriptedRun run({mtl::EarlyStopping{
                      .watch = [](const mtl::EpochRecord& r) { return -r.valid.metrics[1][0]; }}},
                  false);
  CHECK(contains(error_text([&] { run.epoch({1, 1}); }), "validation"));
}
