#pragma once

#include <cstdint>
#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl {

// Metrics of probabilities, from the logits that a head gives. Without any label: NaN.

/// Mean negative log-likelihood of the true class. Predictions [N, C] logits, targets [N] class
/// indices, -100 missing.
struct LogLoss {
  std::string name = "log_loss";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Mean binary cross-entropy of logits against scores in [0, 1], over all labelled entries.
/// Predictions and targets [N] or [N, K], NaN missing. Its floor for soft scores is their entropy,
/// not 0.
struct SoftBce {
  std::string name = "soft_bce";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

/// Expected calibration error: the mean distance between the confidence of the decisions (the
/// largest softmax) and their accuracy, over bins of equal width, weighted by the samples in them.
/// Guo et al., ICML 2017 (arXiv 1706.04599). Predictions [N, C] logits, targets [N] class indices,
/// -100 missing.
struct CalibrationError {
  int64_t bins = 10;
  std::string name = "calibration_error";
  double operator()(const Tensor& predictions, const Tensor& targets) const;
};

}  // namespace mtl
