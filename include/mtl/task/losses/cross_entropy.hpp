#pragma once

#include "mtl/task/class_labels.hpp"

namespace mtl {

/// Cross-entropy of class scores (logits), `-log softmax(y)[t]`.
///
/// Prediction [N, C], or [N, C, ...] for one class a pixel or time step; target [N] or [N, ...],
/// class indices (torch::kLong) 0..C-1; a missing label is -100. A sample's weight is the class
/// weight of its label, so that the weighted mean over a batch is LibTorch's own weighted
/// cross-entropy. A class of weight 0 is left out: its samples cost nothing, their label smoothing
/// included.
struct CrossEntropy {
  Tensor class_weights = {};     ///< [C], >= 0; undefined: all ones. See class_weights.hpp
  double label_smoothing = 0.0;  ///< in [0, 1): the share of a label spread evenly over all classes

  static constexpr LossKind kind = LossKind::classification;

  SampleLosses operator()(const Tensor& prediction, const Tensor& labels) const {
    const Tensor target = class_target(prediction, labels, class_weights);
    const Tensor labelled = labelled_entries(target);
    const Tensor missing = labelled.logical_not();
    const Tensor log_probability = prediction.masked_fill(missing.unsqueeze(1), 0).log_softmax(1);
    const Tensor index = target.clamp_min(0).unsqueeze(1);
    Tensor losses = -log_probability.gather(1, index).squeeze(1);
    if (label_smoothing > 0) {
      // LibTorch weighs the smoothed classes too and divides by the weight of the label in the end.
      Tensor spread = -log_probability.mean(1);
      if (class_weights.defined()) {
        const Tensor weights = beside(class_weights, prediction);
        const Tensor own = weights.index_select(0, index.flatten()).view(target.sizes());
        spread = -log_probability.movedim(1, -1).matmul(weights) /
                 static_cast<double>(prediction.size(1)) / own.masked_fill(own.eq(0), 1);
      }
      losses = (1 - label_smoothing) * losses + label_smoothing * spread;
    }
    return over_classes(losses, target, labelled, class_weights);
  }

  /// The weighted mean over a batch without missing labels, in few operations.
  MeanLoss mean(const Tensor& prediction, const Tensor& labels) const {
    if (class_weights.defined() && label_smoothing > 0) {
      const auto [values, weights] = (*this)(prediction, labels);
      const Tensor total = weights.sum();
      return {torch::dot(values, weights) / total.masked_fill(total.eq(0), 1), total};
    }
    const Tensor target = class_target(prediction, labels, class_weights);
    if (!class_weights.defined())
      return {torch::cross_entropy_loss(prediction, target, {}, at::Reduction::Mean, missing_class,
                                        label_smoothing)};
    const Tensor weights = beside(class_weights, prediction);
    const Tensor sum =
        torch::cross_entropy_loss(prediction, target, weights, at::Reduction::Sum, missing_class);
    const Tensor total = weights.index_select(0, target.flatten()).sum();
    // A batch of left-out classes only costs 0 instead of 0 / 0.
    const Tensor value = sum / total.masked_fill(total.eq(0), 1);
    return {value, target.dim() == 1 ? total : total / (target.numel() / target.size(0))};
  }

  /// Error: class weights that are not one non-negative number a class, or a smoothing outside
  /// [0, 1).
  void check() const {
    check_class_weights("CrossEntropy", class_weights);
    if (!(label_smoothing >= 0 && label_smoothing < 1))
      throw Error("CrossEntropy: label_smoothing is {}, expected a number in [0, 1)",
                  label_smoothing);
  }
};

}  // namespace mtl
