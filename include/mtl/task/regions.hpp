#pragma once

#include <string_view>

#include "mtl/task/class_labels.hpp"

// What losses of overlapping regions share.
namespace mtl::task_detail {

/// Predicted and true regions as [N, C, M] with zeros where there is no label, which is [N, M].
struct Regions {
  Tensor predicted, truth, labelled;

  /// [N, C]: sums over the pixels.
  Tensor overlap() const { return (predicted * truth).sum(2); }
  Tensor total() const { return predicted.sum(2) + truth.sum(2); }
  /// One minus the mean over the classes of `shares` [N, C]; weight 0 without a labelled pixel.
  SampleLosses without(const Tensor& shares) const {
    const Tensor any = labelled.any(1);
    return {(1 - shares.mean(1)).masked_fill(any.logical_not(), 0), any.to(shares.scalar_type())};
  }
};

inline Regions class_regions(const Tensor& prediction, const Tensor& labels) {
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

inline Regions binary_regions(const Tensor& prediction, const Tensor& target) {
  check_scores(target);
  const Tensor truth = match_target(prediction, target).flatten(1).unsqueeze(1);
  const Tensor labelled = labelled_entries(target).flatten(1);
  const Tensor missing = labelled.logical_not().unsqueeze(1);
  const Tensor predicted =
      prediction.flatten(1).unsqueeze(1).masked_fill(missing, 0).sigmoid().masked_fill(missing, 0);
  return {predicted, truth.masked_fill(missing, 0), labelled};
}

/// Several classes: prediction [N, C, ...] logits, target [N, ...] class indices, -100 missing; the
/// regions are the softmax. One class: prediction [N, 1, ...] or [N, ...] logits, target of the
/// same shape with scores in [0, 1], NaN missing; they are the sigmoid.
/// Error: other shapes; `loss` is whose they are.
inline Regions regions_of(std::string_view loss, const Tensor& prediction, const Tensor& target) {
  if (prediction.dim() < 2 || target.dim() < 2)
    throw Error(
        "the prediction has shape {}, its target {}; {} expects pixels, [N, C, ...] and [N, ...]",
        shape_text(prediction), shape_text(target), loss);
  const bool by_class =
      prediction.size(1) > 1 && !target.is_floating_point() && prediction.sizes() != target.sizes();
  return by_class ? class_regions(prediction, target) : binary_regions(prediction, target);
}

}  // namespace mtl::task_detail
