#include <csignal>

#include "catch.hpp"
#include "logged_run.hpp"

namespace {

volatile std::sig_atomic_t signals_heard = 0;
void hear_signal(int /*signal*/) { signals_heard = signals_heard + 1; }

/// Somebody's own handler for the time of a test.
struct OwnHandler {
  void (*before)(int) = std::signal(SIGINT, hear_signal);
  OwnHandler() { signals_heard = 0; }
  ~OwnHandler() { std::signal(SIGINT, before); }
};

struct InterruptAtStep {
  int64_t step;
  int times = 1;
  void on_step_end(mtl::TrainState& state) {
    for (int i = 0; state.step == step && i < times; ++i) std::raise(SIGINT);
  }
};

struct InterruptInValidation {
  void on_epoch_end(mtl::TrainState& /*state*/) { std::raise(SIGINT); }
};

struct ThrowAtStep {
  int64_t step;
  void on_step_end(mtl::TrainState& state) {
    if (state.step == step) throw mtl::Error("the test throws here");
  }
};

}  // namespace

TEST_CASE("StopOnInterrupt: SIGINT ends the run after the step under way") {
  const OwnHandler own;
  const auto run = logged_run(3, InterruptAtStep{3}, mtl::StopOnInterrupt{});
  CHECK(run.steps == 3);
  CHECK(run.epochs() == 0);
  CHECK(signals_heard == 0);
}

TEST_CASE("StopOnInterrupt: during the validation it ends the run after the epoch") {
  const OwnHandler own;
  const auto run = logged_run(3, InterruptInValidation{}, mtl::StopOnInterrupt{});
  CHECK(run.epochs() == 1);
  CHECK(run.steps == 4);
}

TEST_CASE("StopOnInterrupt: a second SIGINT, and one after the run, goes to the handler found") {
  const OwnHandler own;
  logged_run(3, InterruptAtStep{3, 2}, mtl::StopOnInterrupt{});
  CHECK(signals_heard == 1);
  std::raise(SIGINT);
  CHECK(signals_heard == 2);
  const auto again = logged_run(1, mtl::StopOnInterrupt{});
  CHECK(again.epochs() == 1);
}

TEST_CASE("StopOnInterrupt: the handler is put back also when fit() throws") {
  const OwnHandler own;
  mtl::StopOnInterrupt callback;
  CHECK_THROWS_AS(logged_run(2, callback, ThrowAtStep{2}), mtl::Error);
  std::raise(SIGINT);
  CHECK(signals_heard == 1);
  CHECK_THROWS_AS(logged_run(2, mtl::StopOnInterrupt{}, ThrowAtStep{2}), mtl::Error);
  std::raise(SIGINT);
  CHECK(signals_heard == 2);
}

TEST_CASE("StopOnInterrupt: of two fits the one that ends leaves the other's handler") {
  const OwnHandler own;
  mtl::StopOnInterrupt first, second;
  struct Inner {
    void on_step_end(mtl::TrainState& state) {
      if (state.step == 1) logged_run(1, mtl::StopOnInterrupt{});
    }
  };
  const auto run = logged_run(2, first, Inner{}, InterruptAtStep{2}, second);
  CHECK(run.steps == 2);
  CHECK(signals_heard == 0);
  std::raise(SIGINT);
  CHECK(signals_heard == 1);
}
