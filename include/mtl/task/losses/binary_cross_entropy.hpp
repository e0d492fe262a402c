#pragma once

#include <vector>

#include "mtl/task/labels.hpp"

namespace mtl {

/// Cross-entropy of yes/no scores (logits), each output for itself, by log-sigmoid:
///     -(p t log s(y) + (1 - t) log(1 - s(y)))                   s = sigmoid, p = pos_weight
///
/// Prediction and target [N] or [N, K] or [N, K, ...], logits and scores in [0, 1]: soft scores
/// (0.3 of a curl) are as welcome as 0 and 1. A missing score is NaN (-100 in an integer target).
/// A sample's value is the mean over its labelled outputs.
struct BinaryCrossEntropy {
  /// [K] or a single one, finite and >= 0; undefined: ones. What a positive counts more than a
  /// negative.
  Tensor pos_weight = {};

  static constexpr LossKind kind = LossKind::classification;
  static constexpr bool yes_or_no() { return true; }

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    check_scores(target);
    return elementwise(prediction, target, [this](const Tensor& y, const Tensor& t) {
      return torch::binary_cross_entropy_with_logits(y, t, {}, weight_for(y), at::Reduction::None);
    });
  }

  /// The mean over a batch without missing labels, in one operation.
  Tensor mean(const Tensor& prediction, const Tensor& target) const {
    check_scores(target);
    return torch::binary_cross_entropy_with_logits(prediction, match_target(prediction, target), {},
                                                   weight_for(prediction));
  }

  /// Error: a pos_weight that is no row of finite numbers of at least 0.
  void check() const {
    if (pos_weight.defined() &&
        (pos_weight.dim() > 1 || !pos_weight.is_floating_point() ||
         !pos_weight.ge(0).logical_and(pos_weight.isfinite()).all().item<bool>()))
      throw Error(
          "BinaryCrossEntropy: pos_weight {} must be finite numbers of at least 0, one or "
          "one an output",
          shape_text(pos_weight));
  }

 private:
  /// Broadcast along dimension 1. Error: neither one weight nor one an output.
  Tensor weight_for(const Tensor& prediction) const {
    if (!pos_weight.defined()) return {};
    const Tensor weight = beside(pos_weight, prediction);
    if (weight.numel() == 1) return weight.reshape({1});
    if (prediction.dim() < 2 || prediction.size(1) != weight.numel())
      throw Error("BinaryCrossEntropy: there are {} pos_weights, but the prediction has shape {}",
                  weight.numel(), shape_text(prediction));
    std::vector<int64_t> sizes(static_cast<size_t>(prediction.dim()) - 1, 1);
    sizes.front() = weight.numel();
    return weight.reshape(sizes);
  }
};

}  // namespace mtl
