#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

// Whatever ends a fit, every callback hears it.

namespace {

struct Hears {
  std::vector<std::string>* heard;
  std::string name;
  void on_fit_begin(mtl::TrainState&) { heard->push_back(name + " begins"); }
  void on_fit_end(mtl::TrainState& state) {
    heard->push_back(name + (state.stop_reason == mtl::StopReason::error ? " fails: " : " ends: ") +
                     state.stop_text);
  }
};

struct Throws {
  std::string hook;
  void throw_at(const char* here) const {
    if (hook == here) throw std::runtime_error("thrown at " + hook);
  }
  void on_fit_begin(mtl::TrainState&) { throw_at("on_fit_begin"); }
  void on_epoch_begin(mtl::TrainState&) { throw_at("on_epoch_begin"); }
  void on_step_begin(mtl::TrainState&) { throw_at("on_step_begin"); }
  void on_gradients(mtl::TrainState&) { throw_at("on_gradients"); }
  void on_step_end(mtl::TrainState&) { throw_at("on_step_end"); }
  void on_epoch_end(mtl::TrainState&) { throw_at("on_epoch_end"); }
  void on_fit_end(mtl::TrainState&) { throw_at("on_fit_end"); }
};

/// What the callbacks heard, and the text of the exception that left fit().
std::pair<std::vector<std::string>, std::string> heard_in(const std::string& hook) {
  std::vector<std::string> told;
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::Sum sum;
  mtl::BatchLoader loader(weather_like(16, 1));
  mtl::Trainer trainer(model, sgd, sum, {.epochs = 1});
  try {
    trainer.fit(loader, Hears{&told, "first"}, Throws{hook}, Hears{&told, "last"});
  } catch (const std::exception& error) {
    return {told, error.what()};
  }
  return {told, ""};
}

}  // namespace

TEST_CASE("Trainer: every callback hears the end of a fit that threw, and the text goes on") {
  for (const char* hook :
       {"on_epoch_begin", "on_step_begin", "on_gradients", "on_step_end", "on_epoch_end"}) {
    INFO(hook);
    const auto [told, text] = heard_in(hook);
    const std::string fails = std::string(" fails: thrown at ") + hook;
    CHECK(told ==
          std::vector<std::string>{"first begins", "last begins", "first" + fails, "last" + fails});
    CHECK(text == std::string("thrown at ") + hook);
  }
}

TEST_CASE("Trainer: who has not heard that a fit begins does not hear that it ends") {
  CHECK(heard_in("on_fit_begin").first ==
        std::vector<std::string>{"first begins", "first fails: thrown at on_fit_begin"});
}

TEST_CASE("Trainer: a callback that throws at the end keeps nobody else from hearing it") {
  const auto [told, text] = heard_in("on_fit_end");
  CHECK(told == std::vector<std::string>{"first begins", "last begins",
                                         "first ends: all 1 epochs done",
                                         "last ends: all 1 epochs done"});
  CHECK(text == "thrown at on_fit_end");
}

TEST_CASE("Trainer: why a run ended is an enum and a text") {
  const auto run_with = [](auto callback) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::Sum sum;
    mtl::BatchLoader loader(weather_like(16, 1));
    return mtl::Trainer(model, sgd, sum, {.epochs = 2}).fit(loader, callback);
  };
  const auto whole = run_with(StopAfterEpoch{9});
  CHECK(whole.stop_reason == mtl::StopReason::epochs_done);
  CHECK(whole.stop_text == "all 2 epochs done");
  const auto stopped = run_with(StopAfterEpoch{1});
  CHECK(stopped.stop_reason == mtl::StopReason::callback);
  CHECK(stopped.stop_text == "the test stops here");
  CHECK(stopped.epochs() == 1);
}
