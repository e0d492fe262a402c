#pragma once

#include <cmath>

#include "mtl/task/regions.hpp"

namespace mtl {

/// One minus the overlap of predicted and true regions, for segmentation:
///     1 - mean over classes of (2 sum p t + smooth) / (sum p + sum t + smooth)
/// with sums over the labelled pixels of a sample. Milletari et al., 3DV 2016 (arXiv 1606.04797),
/// with plain instead of squared sums, as is usual since Sudre et al. 2017.
///
/// Several classes: prediction [N, C, ...] logits, target [N, ...] class indices, -100 missing; p
/// is the softmax. One class: prediction [N, 1, ...] or [N, ...] logits, target of the same shape
/// with scores in [0, 1], NaN missing; p is the sigmoid. A sample's weight is 1, or 0 when it has
/// no labelled pixel.
struct Dice {
  double smooth = 1.0;  ///< in pixels, > 0: an absent class that is not predicted costs nothing

  static constexpr LossKind kind = LossKind::classification;
  static constexpr LossOutputs outputs = LossOutputs::regions;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    const auto regions = task_detail::regions_of("Dice", prediction, target);
    return regions.without((2 * regions.overlap() + smooth) / (regions.total() + smooth));
  }

  /// Error: smooth is not a positive number.
  void check() const {
    if (!(smooth > 0 && std::isfinite(smooth)))
      throw Error("Dice: smooth is {}, expected a positive number", smooth);
  }
};

}  // namespace mtl
