#pragma once

#include "mtl/task/loss.hpp"

namespace mtl {

/// Cross-entropy of yes/no scores (logits), each output for itself, by log-sigmoid:
///     -(p t log s(y) + (1 - t) log(1 - s(y)))                   s = sigmoid, p = pos_weight
///
/// Prediction and target [N] or [N, K], logits and scores in [0, 1]: soft scores (0.3 of a curl)
/// are as welcome as 0 and 1. A missing score is NaN (-100 in an integer target). A sample's value
/// is the mean over its labelled outputs.
struct BinaryCrossEntropy {
  Tensor pos_weight = {};  ///< [K] or a single one, >= 0; undefined: ones. What a positive counts
                           ///< more than a negative

  static constexpr LossKind kind = LossKind::classification;
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const;
  /// Error: a negative or NaN pos_weight.
  void check() const;
};

}  // namespace mtl
