#pragma once

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// The geometric mean of the losses (GLS): a task's weight is the reciprocal of its loss, so that
/// scales do not matter and all tasks have to become good.
///     (prod l_t)^(1/T)
/// Chennupati et al., CVPR Workshops 2019 (arXiv 1904.08492).
class GeometricMean : public LossCombiner {
 public:
  /// Error: a loss that is not positive (checked on CPU).
  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;
};

}  // namespace mtl
