#pragma once

#include "mtl/sharing/merging/task_vectors.hpp"

namespace mtl {

/// The plain mean of tuned weights: theta_0 + mean_t v_t, what every other merging has to beat.
/// Wortsman et al., ICML 2022 (arXiv 2203.05482), of models of one task.
struct MeanMerging {
  /// Error: no model, other names or shapes (merging_detail::check_models).
  NamedTensors operator()(const NamedTensors& start, const std::vector<NamedTensors>& tuned) const {
    return merging_detail::from_start(
        start, tuned, [](const std::string&, const Tensor& vectors) { return vectors.mean(0); });
  }
};

}  // namespace mtl
