#pragma once

#include "mtl/sharing/merging/task_vectors.hpp"

namespace mtl {

/// Task arithmetic: theta_0 + scale * sum_t v_t. Ilharco et al., ICLR 2023 (arXiv 2212.04089).
/// One model and scale 1 is that model; a negative scale unlearns.
struct TaskArithmetic {
  double scale = 0.3;  // the paper's where nothing is known; 1 / models is the mean

  /// Error: no model, other names or shapes (merging_detail::check_models); a scale that is not
  /// finite.
  NamedTensors operator()(const NamedTensors& start, const std::vector<NamedTensors>& tuned) const {
    merging_detail::require_finite("TaskArithmetic", "scale", scale);
    return merging_detail::from_start(
        start, tuned,
        [this](const std::string&, const Tensor& vectors) { return scale * vectors.sum(0); });
  }
};

}  // namespace mtl
