#pragma once

#include <cmath>

#include "mtl/task/regions.hpp"

namespace mtl {

/// One minus the intersection over union of predicted and true regions, for segmentation:
///     1 - mean over classes of (sum p t + smooth) / (sum p + sum t - sum p t + smooth)
/// with sums over the labelled pixels of a sample. Rahman and Wang, ISVC 2016. It falls where Dice
/// does and is steeper near the truth; MeanIou is its metric.
///
/// Prediction and target as Dice takes them. A sample's weight is 1, or 0 when it has no labelled
/// pixel.
struct SoftIou {
  double smooth = 1.0;  ///< in pixels, > 0: an absent class that is not predicted costs nothing

  static constexpr LossKind kind = LossKind::classification;
  static constexpr LossOutputs outputs = LossOutputs::regions;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    const auto regions = task_detail::regions_of("SoftIou", prediction, target);
    const Tensor overlap = regions.overlap();
    return regions.without((overlap + smooth) / (regions.total() - overlap + smooth));
  }

  /// Error: smooth is not a positive number.
  void check() const {
    if (!(smooth > 0 && std::isfinite(smooth)))
      throw Error("SoftIou: smooth is {}, expected a positive number", smooth);
  }
};

}  // namespace mtl
