#include "mtl/train/callbacks/stop_on_interrupt.hpp"

#include <fmt/format.h>

#include <csignal>

namespace mtl {
namespace {

// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t interrupted = 0;
void (*handler_found)(int) = SIG_DFL;

void on_interrupt(int /*signal*/) {
  interrupted = 1;
  std::signal(SIGINT, handler_found);  // the second one acts as if we were not there
}

}  // namespace

void StopOnInterrupt::on_fit_begin(TrainState& /*state*/) {
  interrupted = 0;
  handler_found = std::signal(SIGINT, on_interrupt);
}

void StopOnInterrupt::on_step_end(TrainState& state) {
  if (interrupted != 0)
    state.stop(fmt::format("interrupted in epoch {} after batch {}", state.epoch, state.batch));
}

void StopOnInterrupt::on_fit_end(TrainState& /*state*/) { std::signal(SIGINT, handler_found); }

}  // namespace mtl
