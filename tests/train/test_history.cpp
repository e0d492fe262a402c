#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "scripted_run.hpp"

TEST_CASE("History: results by name") {
  ScriptedRun run({});
  run.epoch({1, 2}, {{0.5, 0.8}, {0.6, 0.7}});
  run.epoch({0.5, 2}, {{0.4, 0.7}, {0.5, 0.9}});
  const mtl::History& history = run.state.history;
  CHECK(history.best().epoch == 2);
  CHECK(history.best().valid("b", "accuracy") == 0.9);
  CHECK(history.best().train("a") == 0.5);
  CHECK(history.best({"a", "accuracy"}).epoch == 1);
  CHECK(history.at(1).valid("a", "loss") == 1);

  const auto text = [](auto&& ask) { return error_text([&] { ask(); }); };
  CHECK(contains(text([&] { history.last().valid("c"); }), "\"a\", \"b\""));
  CHECK(contains(text([&] { history.last().valid("a", "recall"); }),
                 "\"loss\", \"error\", \"accuracy\""));
  CHECK(contains(text([&] { history.last().train("a", "accuracy"); }), "validation part"));
  CHECK(contains(text([&] { history.at(3); }), "epoch 3"));
  CHECK(contains(text([&] { mtl::SplitRecord()("a"); }), "names"));
  CHECK(contains(text([&] { mtl::History().best(); }), "completed 0"));
}

TEST_CASE("History: without validation data its results are an error, also by position") {
  ScriptedRun run({}, false);
  run.epoch({1, 2});
  const auto& record = run.state.history.best();
  CHECK(record.train("b") == 2);
  CHECK(contains(error_text([&] { record.valid("b"); }), "no validation data"));
  CHECK_THROWS_AS(record.valid.losses[0], mtl::Error);
  CHECK_THROWS_AS(record.valid.metrics[1], mtl::Error);
}

TEST_CASE("History: an epoch that lacks a task, or any value, is not the best") {
  const double none = std::nan("");
  ScriptedRun run({});
  run.epoch({none, none});
  CHECK(run.state.history.best_epoch() == 1);
  run.epoch({1, none});
  run.epoch({3, 3});
  run.epoch({1, none});
  run.epoch({2, 3});
  run.epoch({2, 3});
  CHECK(run.state.history.best_epoch() == 5);
  CHECK(mtl::History().best_epoch() == 0);
}

TEST_CASE("History: the CSV has a line an epoch") {
  ScriptedRun run({}, false);
  run.epoch({1, std::nan("")});
  CHECK(run.state.history.csv() == "epoch,learning_rate,train_total,train_a,train_b\n1,0.1,1,1,\n");
}
