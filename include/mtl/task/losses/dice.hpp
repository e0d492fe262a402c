#pragma once

#include <cmath>

#include "mtl/task/class_labels.hpp"

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

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    if (prediction.dim() < 2 || target.dim() < 2)
      throw Error(
          "the prediction has shape {}, its target {}; Dice expects pixels, [N, C, ...] "
          "and [N, ...]",
          shape_text(prediction), shape_text(target));
    const bool by_class = prediction.size(1) > 1 && !target.is_floating_point() &&
                          prediction.sizes() != target.sizes();
    const auto [predicted, truth, labelled] =
        by_class ? class_regions(prediction, target) : binary_regions(prediction, target);
    const Tensor overlap = (predicted * truth).sum(2);
    const Tensor total = predicted.sum(2) + truth.sum(2);
    const Tensor values = 1 - ((2 * overlap + smooth) / (total + smooth)).mean(1);
    const Tensor any = labelled.any(1);
    return {values.masked_fill(any.logical_not(), 0), any.to(values.scalar_type())};
  }

  /// Error: smooth is not a positive number.
  void check() const {
    if (!(smooth > 0 && std::isfinite(smooth)))
      throw Error("Dice: smooth is {}, expected a positive number", smooth);
  }

 private:
  /// Prediction and truth as [N, C, M] with zeros where there is no label, which is [N, M].
  struct Regions {
    Tensor predicted, truth, labelled;
  };

  static Regions class_regions(const Tensor& prediction, const Tensor& labels) {
    const Tensor pixels = class_target(prediction, labels).flatten(1);
    const Tensor labelled = labelled_entries(pixels);
    const Tensor missing = labelled.logical_not().unsqueeze(1);
    const Tensor truth =
        torch::zeros({pixels.size(0), prediction.size(1), pixels.size(1)}, prediction.options())
            .scatter_(1, pixels.clamp_min(0).unsqueeze(1), 1)
            .masked_fill(missing, 0);
    const Tensor predicted =
        prediction.flatten(2).masked_fill(missing, 0).softmax(1).masked_fill(missing, 0);
    return {predicted, truth, labelled};
  }

  static Regions binary_regions(const Tensor& prediction, const Tensor& target) {
    check_scores(target);
    const Tensor truth = match_target(prediction, target).flatten(1).unsqueeze(1);
    const Tensor labelled = labelled_entries(target).flatten(1);
    const Tensor missing = labelled.logical_not().unsqueeze(1);
    const Tensor predicted = prediction.flatten(1)
                                 .unsqueeze(1)
                                 .masked_fill(missing, 0)
                                 .sigmoid()
                                 .masked_fill(missing, 0);
    return {predicted, truth.masked_fill(missing, 0), labelled};
  }
};

}  // namespace mtl
