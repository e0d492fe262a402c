#pragma once

#include <cmath>
#include <string>

#include "mtl/task/metrics/grouped_rows.hpp"
#include "mtl/task/metrics/rankings.hpp"

namespace mtl {

/// RocAuc within each group (a user's impressions), the mean over the groups that have a positive
/// and a negative, weighted by the rows in them. Zhu et al., KDD 2017. Unlike RocAuc it does not
/// reward knowing which users say yes more often.
///
/// Predictions [N] or [N, 1] scores, targets of the same shape, .5 and above is a yes, NaN missing.
/// `group` names the target of whole numbers [N] by which rows are grouped; by itself:
/// GroupedAuc{}(predictions, targets, sample_weights, groups). Sample weights [N] >= 0. NaN without
/// such a group and where a score that counts is NaN. Keeps 24 bytes a row.
struct GroupedAuc {
  static constexpr bool higher_is_better = true;
  std::string group = "group";
  std::string name = "grouped_auc";

  using State = task_detail::GroupedRows;
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights, const Tensor& groups) const {
    state.add("GroupedAuc", predictions, targets, sample_weights, groups);
  }
  double value(const State& state) const {
    task_detail::WeightedMean mean;
    for (const auto& [number, pairs] : state.groups) {
      if (pairs.has_nan()) return task_detail::no_value;
      const auto ranking = task_detail::ranking_of(pairs);
      if (ranking.positives > 0 && ranking.negatives > 0)
        mean.add(pairs.total * task_detail::area_under_roc(ranking), pairs.total);
    }
    return mean.value();
  }
  double operator()(const Tensor& predictions, const Tensor& targets, const Tensor& sample_weights,
                    const Tensor& groups) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights, groups);
  }
};

}  // namespace mtl
