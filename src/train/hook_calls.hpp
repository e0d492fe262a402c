#pragma once

#include <exception>
#include <vector>

#include "mtl/train/callback.hpp"

namespace mtl {

/// Calls the hooks of a fit's callbacks, and sees to it that whoever heard it begin hears it end.
class HookCalls {
 public:
  explicit HookCalls(std::vector<Callback>& callbacks)
      : callbacks_(callbacks), began_(callbacks.size(), false) {}

  void call(Callback::Hook Callback::*hook, TrainState& state) const {
    for (Callback& callback : callbacks_)
      if (callback.*hook) (callback.*hook)(state);
  }

  void begin(TrainState& state) {
    for (size_t c = 0; c < callbacks_.size(); ++c) {
      if (callbacks_[c].on_fit_begin) callbacks_[c].on_fit_begin(state);
      began_[c] = true;
    }
  }

  /// Whatever ended the fit, also when a callback throws meanwhile: `failure` is the first error.
  void end(TrainState& state, std::exception_ptr& failure) const {
    for (size_t c = 0; c < callbacks_.size(); ++c) {
      if (!began_[c] || !callbacks_[c].on_fit_end) continue;
      try {
        callbacks_[c].on_fit_end(state);
      } catch (...) {
        if (!failure) failure = std::current_exception();
      }
    }
  }

 private:
  std::vector<Callback>& callbacks_;
  std::vector<bool> began_;
};

}  // namespace mtl
