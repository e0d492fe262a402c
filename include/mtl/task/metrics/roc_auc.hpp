#pragma once

#include <string>

#include "mtl/task/metrics/rankings.hpp"

namespace mtl {

/// Chance that a positive gets a higher score than a negative, equal scores counting half. Not
/// defined without a positive or without a negative (where scikit-learn warns or throws). Takes
/// what rankings.hpp says.
struct RocAuc {
  static constexpr bool higher_is_better = true;
  std::string name = "roc_auc";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_where(
        task_detail::rankings_of(predictions, targets, sample_weights),
        [](const auto& ranking) { return ranking.positives > 0 && ranking.negatives > 0; },
        [](const auto& ranking) { return task_detail::area_under_roc(ranking); });
  }
};

}  // namespace mtl
