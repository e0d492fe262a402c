#pragma once

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// The sum of the logarithms of the losses: the same direction as the geometric mean, with a step
/// that does not shrink with the losses.
///     sum log l_t
class LogSum : public LossCombiner {
 public:
  /// Error: a loss that is not positive (checked on CPU).
  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;
};

}  // namespace mtl
