#pragma once

#include <string>

#include "mtl/task/metrics/rankings.hpp"

namespace mtl {

/// Area under precision over recall by steps, `sum (R_i - R_i-1) P_i`. Not defined without a
/// positive (where scikit-learn warns and gives 0). Takes what rankings.hpp says.
struct AveragePrecision {
  static constexpr bool higher_is_better = true;
  std::string name = "average_precision";

  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::mean_where(
        task_detail::rankings_of(predictions, targets, sample_weights),
        [](const auto& ranking) { return ranking.positives > 0; },
        [](const auto& ranking) {
          double found = 0;
          double seen = 0;
          double area = 0;
          ranking.for_each_threshold([&](double positives, double negatives) {
            found += positives;
            seen += positives + negatives;
            area += positives / ranking.positives * (found / seen);
          });
          return area;
        });
  }
};

}  // namespace mtl
