#include "mtl/train/callbacks/stop_on_interrupt.hpp"

#include <signal.h>

#include <fmt/format.h>

#include <atomic>
#include <mutex>

namespace mtl {
namespace {

// A signal handler can reach nothing but globals.
std::atomic<unsigned> interrupts = 0;
static_assert(std::atomic<unsigned>::is_always_lock_free);
struct ::sigaction handler_found;  // written while nobody's handler is installed

std::mutex handler_mutex;  // guards what follows and the installing
int fits_with_handler = 0;

void on_interrupt(int /*signal*/) {
  interrupts.fetch_add(1);
  ::sigaction(SIGINT, &handler_found, nullptr);  // the second one acts as if we were not there
}

bool is_ours(const struct ::sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == on_interrupt;
}

void install_handler() {
  const std::lock_guard<std::mutex> lock(handler_mutex);
  struct ::sigaction now {};
  ::sigaction(SIGINT, nullptr, &now);
  ++fits_with_handler;
  if (is_ours(now)) return;
  handler_found = now;
  struct ::sigaction ours {};
  ours.sa_handler = on_interrupt;
  ours.sa_flags = SA_RESTART;
  ::sigemptyset(&ours.sa_mask);
  ::sigaction(SIGINT, &ours, nullptr);
}

void leave_handler() {
  const std::lock_guard<std::mutex> lock(handler_mutex);
  if (--fits_with_handler > 0) return;
  struct ::sigaction now {};
  ::sigaction(SIGINT, nullptr, &now);
  if (is_ours(now)) ::sigaction(SIGINT, &handler_found, nullptr);
}

}  // namespace

void StopOnInterrupt::on_fit_begin(TrainState& /*state*/) {
  seen = interrupts;
  handler.reset();
  install_handler();
  handler = std::shared_ptr<void>(nullptr, [](void*) { leave_handler(); });
}

void StopOnInterrupt::on_step_end(TrainState& state) {
  if (interrupts != seen)
    state.stop(StopReason::interrupted,
               fmt::format("interrupted in epoch {} after batch {}", state.epoch, state.batch));
}

void StopOnInterrupt::on_epoch_end(TrainState& state) {
  if (interrupts != seen && !state.stopped())
    state.stop(StopReason::interrupted, fmt::format("interrupted after epoch {}", state.epoch));
}

void StopOnInterrupt::on_fit_end(TrainState& /*state*/) { handler.reset(); }

}  // namespace mtl
