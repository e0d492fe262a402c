#pragma once

#include "mtl/task/loss.hpp"

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
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
  /// The weighted mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const;
  /// Error: class weights that are not one non-negative number a class, or a smoothing outside [0,
  /// 1).
  void check() const;
};

}  // namespace mtl
