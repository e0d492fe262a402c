#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "mtl/core/error.hpp"

namespace mtl {

/// By how much the losses are scaled while gradients are computed (scaled_losses), as high as the
/// range of float16 allows; what combiners, callbacks and the optimizer see is not scaled. A step
/// whose gradient holds NaN or infinity is skipped. The defaults are torch.amp.GradScaler's; powers
/// of two change no bit of a gradient.
struct LossScaling {
  double start = 65536;            ///< 2^16: soon as low as it must be, while rising takes long
  double growth = 2;               ///< after `growth_interval` steps without an overflow
  double backoff = 0.5;            ///< after one with
  int64_t growth_interval = 2000;  ///< steps; costs one skipped step in so many
  double least = 1;                ///< at which such a gradient is a fault of the batch

  void check_options() const {
    const auto check = [](const char* name, double value, bool good, const char* expected) {
      if (!good || !std::isfinite(value))
        throw Error("LossScaling: found {} {}, expected {}", name, value, expected);
    };
    check("least", least, least > 0, "a number above 0");
    check("start", start, start >= least, "a finite number, `least` at least");
    check("growth", growth, growth >= 1, "a finite number, 1 at least");
    check("backoff", backoff, backoff > 0 && backoff < 1, "one between 0 and 1");
    if (growth_interval < 1)
      throw Error("LossScaling: found growth_interval {}, expected at least 1 step",
                  growth_interval);
  }
};

/// The scale of a run, and how it came there.
struct LossScale {
  double value = 1;
  int64_t steps_since = 0;                  ///< without an overflow, since the scale last changed
  int64_t overflows = 0;                    ///< steps skipped so far
  std::optional<LossScaling> options = {};  ///< none: the scale stays 1

  void made_step() {
    if (!options || ++steps_since < options->growth_interval) return;
    steps_since = 0;
    const double larger = value * options->growth;
    if (std::isfinite(larger)) value = larger;
  }
  /// False, and nothing changed: a lower scale would not help.
  bool overflowed() {
    if (!options || value <= options->least) return false;
    value = std::fmax(value * options->backoff, options->least);
    steps_since = 0;
    ++overflows;
    return true;
  }
};

}  // namespace mtl
