#pragma once

#include <string_view>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"

namespace mtl {

/// The sum of the logarithms of the losses: the same direction as the geometric mean, with a step
/// that does not shrink with the losses.
///     sum log l_t
class LogSum : public LossCombiner {
 public:
  static constexpr std::string_view name = "log_sum";

  /// FaultyStep: a loss that is not positive (checked on the CPU).
  Tensor combine(const TaskLosses& losses) override {
    return loss_values(losses, name, LossRange::above_zero).log().sum();
  }
  Tensor total(const TaskLosses& losses) const override {
    return stacked(losses.values).log().sum();
  }
};

}  // namespace mtl
