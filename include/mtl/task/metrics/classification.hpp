#pragma once

#include <cstdint>
#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl {

// Metrics of decisions, with scikit-learn's meanings. What they take:
//   predictions [N, C] class scores (the largest decides, the first of equal ones), or class
//   indices [N];
//     targets [N] or [N, 1] class indices, -100 missing
//   predictions [N] or [N, 1] logits of a yes (above 0 decides); targets [N] or [N, 1] of 0 and 1
//   predictions [N, K] logits of K yes/no outputs; targets [N, K] real, in [0, 1] (.5 and above is
//   a yes),
//     NaN missing: every labelled entry is a decision of its own
// Without any label: NaN. Error: shapes that are none of these, a class outside the head's.

/// How often each true class (row) was predicted as each class (column): [C, C] torch::kLong.
/// C is the number of class scores, 2 for logits of a yes, one more than the largest for class
/// indices.
Tensor confusion_matrix(const Tensor& predictions, const Tensor& targets);

/// Share of right decisions.
struct Accuracy {
  static constexpr bool higher_is_better = true;
  std::string name = "accuracy";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Mean recall over the classes that occur in the targets.
struct BalancedAccuracy {
  static constexpr bool higher_is_better = true;
  std::string name = "balanced_accuracy";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// How a value by class becomes one: over all decisions, the mean over the classes that occur in
/// targets or predictions, or that mean weighted by how often a class occurs in the targets.
enum class Average { micro, macro, weighted };

/// Share of the predictions of a class that are right; 0 for a class never predicted.
struct Precision {
  static constexpr bool higher_is_better = true;
  Average average = Average::macro;
  std::string name = "precision";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Share of the samples of a class that are found; 0 for a class that never occurs.
struct Recall {
  static constexpr bool higher_is_better = true;
  Average average = Average::macro;
  std::string name = "recall";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Harmonic mean of precision and recall.
struct F1 {
  static constexpr bool higher_is_better = true;
  Average average = Average::macro;
  std::string name = "f1";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Correlation of decisions and truth, -1 to 1 (Matthews; several classes: Gorodkin 2004). 0 where
/// either has one class only.
struct MatthewsCorrelation {
  static constexpr bool higher_is_better = true;
  std::string name = "matthews";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Agreement beyond chance, at most 1 (Cohen 1960). NaN where chance agrees always: one class only.
struct CohenKappa {
  static constexpr bool higher_is_better = true;
  std::string name = "cohen_kappa";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Intersection over union of decisions and truth, the mean over the classes that occur in either.
/// For segmentation flatten the pixels to rows first: predictions [N * pixels, C].
struct MeanIou {
  static constexpr bool higher_is_better = true;
  std::string name = "mean_iou";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

}  // namespace mtl
