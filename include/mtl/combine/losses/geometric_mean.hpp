#pragma once

#include <string_view>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"

namespace mtl {

/// The geometric mean of the losses (GLS): a task's weight is the reciprocal of its loss, so that
/// scales do not matter and all tasks have to become good.
///     (prod l_t)^(1/T)
/// over the tasks of the batch. Chennupati et al., CVPR Workshops 2019 (arXiv 1904.08492).
class GeometricMean : public LossCombiner {
 public:
  static constexpr std::string_view name = "geometric_mean";

  /// FaultyStep: a loss that is not positive (checked on the CPU).
  Tensor combine(const TaskLosses& losses) override {
    return loss_values(losses, name, LossRange::above_zero).log().mean().exp();
  }
  Tensor total(const TaskLosses& losses) const override {
    return stacked(losses.values).log().mean().exp();
  }
};

}  // namespace mtl
