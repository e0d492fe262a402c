#pragma once

#include <cstdint>
#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl {

// Metrics of scores. They take what the metrics of decisions take (classification.hpp), but no
// class indices as predictions. Several classes: one class against the rest, by softmax, the mean
// over the classes; several yes/no outputs: the mean over the outputs. A class or output for which
// the value is not defined is left out; NaN where none remains.

/// Chance that a positive gets a higher score than a negative, equal scores counting half. Not
/// defined without a positive or without a negative (where scikit-learn warns or throws).
struct RocAuc {
  static constexpr bool higher_is_better = true;
  std::string name = "roc_auc";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Area under precision over recall by steps, `sum (R_i - R_i-1) P_i`. Not defined without a
/// positive (where scikit-learn warns and gives 0).
struct AveragePrecision {
  static constexpr bool higher_is_better = true;
  std::string name = "average_precision";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Share of samples whose class is among the `k` largest scores, of equal ones the last, as in
/// scikit-learn. Class scores [N, C] only. Error: k outside 1..C.
struct TopK {
  static constexpr bool higher_is_better = true;
  int64_t k = 5;
  std::string name = "top_" + std::to_string(k);
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

}  // namespace mtl
