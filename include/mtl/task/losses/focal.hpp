#pragma once

#include <cmath>

#include "mtl/task/class_labels.hpp"

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

  SampleLosses operator()(const Tensor& prediction, const Tensor& labels) const {
    const Tensor target = class_target(prediction, labels, class_weights);
    const Tensor labelled = labelled_entries(target);
    const Tensor log_probability = prediction.masked_fill(labelled.logical_not().unsqueeze(1), 0)
                                       .log_softmax(1)
                                       .gather(1, target.clamp_min(0).unsqueeze(1))
                                       .squeeze(1);
    // 1 - p by expm1, and kept off 0, where a power below 1 has no finite slope.
    const Tensor doubt = (-log_probability.expm1()).clamp_min(1e-12);
    return over_classes(-doubt.pow(gamma) * log_probability, target, labelled, class_weights);
  }

  /// Error: a gamma that is negative or not finite, or class weights that are not one non-negative
  /// number a class.
  void check() const {
    check_class_weights("Focal", class_weights);
    if (!(gamma >= 0 && std::isfinite(gamma)))
      throw Error("Focal: gamma is {}, expected a finite number of at least 0", gamma);
  }
};

}  // namespace mtl
