#pragma once

#include "mtl/task/loss.hpp"

namespace mtl {

/// Cross-entropy that turns to the hard samples: `(1 - p)^gamma * -log p`, p = softmax(y)[t].
/// Lin et al., ICCV 2017 (arXiv 1708.02002).
///
/// Prediction [N, C] or [N, C, ...], logits; target [N] or [N, ...], class indices (torch::kLong);
/// a missing label is -100. Class weights are the weights of the samples, as in CrossEntropy.
struct Focal {
  double gamma = 2.0;         ///< >= 0, the paper's choice; 0 is cross-entropy
  Tensor class_weights = {};  ///< [C], >= 0; undefined: all ones. The paper's alpha

  static constexpr LossKind kind = LossKind::classification;
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
  /// Error: a negative gamma, or class weights that are not one non-negative number a class.
  void check() const;
};

}  // namespace mtl
