#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/task/losses/no_loss.hpp"
#include "schedule_golden.hpp"
#include "scripted_run.hpp"
#include "two_task_problem.hpp"

TEST_CASE("TaskStopping: the run ends when all tasks are done, or when the first is") {
  const auto stopped_after = [](mtl::TaskStopping stopping) {
    ScriptedRun run({stopping});
    for (int epoch = 1; epoch < 9; ++epoch) {
      // "a" is best in epoch 1, "b" in epoch 4.
      run.epoch({1.0 + epoch, epoch < 4 ? 5.0 - epoch : 1.0 + epoch});
      if (run.state.stopped()) return std::pair(epoch, run.state.stop_text);
    }
    return std::pair(0, std::string());
  };
  CHECK(stopped_after({.patience = 2}) ==
        std::pair(5, std::string("no better for 2 epochs: a, b")));
  CHECK(stopped_after({.patience = 2, .when = mtl::StopWhen::any}) ==
        std::pair(3, std::string("no better for 2 epochs: a")));
  CHECK(stopped_after({.patience = 2, .tasks = {{"b"}}}).first == 5);
  CHECK(stopped_after({.patience = 2, .when = mtl::StopWhen::never, .freeze = true}).first == 0);
}

TEST_CASE("TaskStopping: a task that is better again is not done, unless it is frozen") {
  const auto run_of = [](bool freeze) {
    auto run = std::make_unique<ScriptedRun>(
        std::vector<mtl::Callback>{mtl::TaskStopping{.patience = 1, .freeze = freeze}});
    run->epoch({1, 5});
    run->epoch({2, 4});  // "a" is done
    run->epoch({0, 3});  // and better again
    run->epoch({0, 4});  // "b" is done
    return run;
  };
  const auto free = run_of(false), frozen = run_of(true);
  CHECK_FALSE(free->state.stopped());
  CHECK(free->state.frozen.empty());
  CHECK(frozen->state.stop_reason == mtl::StopReason::early_stopping);
  REQUIRE(frozen->state.frozen.size() == 2);
  CHECK(frozen->state.frozen[0].name == "a");
  CHECK(frozen->state.frozen[0].epoch == 2);
}

TEST_CASE("TaskStopping: a metric is followed in its own direction") {
  ScriptedRun run({mtl::TaskStopping{.patience = 2, .tasks = {{"b", "accuracy"}}}});
  for (double accuracy : {0.5, 0.6, 0.7, 0.6}) {
    run.epoch({1, 1}, {{0, 0}, {0, accuracy}});
    CHECK_FALSE(run.state.stopped());
  }
  run.epoch({1, 1}, {{0, 0}, {0, 0.65}});
  CHECK(run.state.stopped());
}

TEST_CASE("TaskStopping: its memory comes back, and a fit that is no resume has none") {
  mtl::TaskStopping first{.patience = 3}, second{.patience = 3};
  ScriptedRun run({first});
  run.epoch({1, 5});
  run.epoch({2, 4});
  run.epoch({3, 5});
  second.load_state_dict(first.state_dict());
  REQUIRE(second.counts.size() == 2);
  CHECK(second.counts[0].worse_epochs == 2);
  CHECK(second.counts[0].best.value == 1);
  CHECK(second.counts[1].worse_epochs == 1);
  CHECK(second.counts[1].best.value == 4);
  ScriptedRun again({first});
  CHECK(first.counts[0].worse_epochs == 0);
}

TEST_CASE("TaskStopping: options that make no sense are errors") {
  CHECK(contains(joining_error(mtl::TaskStopping{.patience = 0}), "found patience 0"));
  CHECK(contains(joining_error(mtl::TaskStopping{.when = mtl::StopWhen::any, .freeze = true}),
                 "found freeze with StopWhen::any"));
  CHECK(contains(joining_error(mtl::TaskStopping{.when = mtl::StopWhen::never}), "does nothing"));
  const auto text = [](std::vector<mtl::Watch> tasks, bool validation = true) {
    return error_text([&] { ScriptedRun({mtl::TaskStopping{.tasks = tasks}}, validation); });
  };
  CHECK(contains(text({{"c"}}), "TaskStopping: cannot watch c loss"));
  CHECK(contains(text({{"a"}, {"a", "error"}}), "found two watches on task \"a\""));
  CHECK(contains(text({mtl::Watch()}), "found a watch on total"));
  CHECK(contains(text({}, false), "no validation data"));
}

TEST_CASE("TaskStopping: a task that is only judged is not waited for, nor watched by its loss") {
  auto tasks = weather_tasks(8);
  tasks.add({.name = "judged", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::NoLoss{}});
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}), tasks);
  const auto fit = [&](auto... callbacks) {
    torch::optim::SGD sgd(model->parameters(), 1e-3);
    mtl::BatchLoader train(weather_like(16, 1)), valid(weather_like(16, 1));
    return mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 4}).fit(train, valid, callbacks...);
  };
  CHECK(fit(mtl::TaskStopping{.patience = 1, .when = mtl::StopWhen::any}).epochs() == 4);
  CHECK(contains(error_text([&] { fit(mtl::EarlyStopping{.watch = {"judged"}}); }),
                 "task \"judged\" is only judged and has no loss"));
  CHECK(contains(error_text([&] {
                   fit(mtl::BestModel{.watch = mtl::mean_of({{"temp"}, {"judged"}})});
                 }),
                 "task \"judged\" is only judged"));
  struct FreezeAll {
    void on_epoch_end(mtl::TrainState& state) const {
      for (const auto* name : {"temp", "sky"}) state.freeze(name);
    }
  };
  const auto run = fit(FreezeAll{});
  CHECK(run.epochs() == 1);
  CHECK(run.stop_text == "every task is frozen");
}
