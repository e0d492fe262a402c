#pragma once

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// The mean of the losses of the present tasks: as the sum, with a step that does not grow with the
/// tasks.
///     (1 / T) sum l_t
class Mean : public LossCombiner {
 public:
  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;
};

}  // namespace mtl
