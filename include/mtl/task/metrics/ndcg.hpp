#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "mtl/task/metrics/grouped_rows.hpp"
#include "mtl/task/metrics/weighted_pairs.hpp"

namespace mtl {

/// Normalised discounted cumulative gain of ranked lists: how much relevance stands near the top.
///     DCG = sum over places r = 1..k of gain / log2(r + 1),   NDCG = DCG / DCG of the best order
/// Järvelin and Kekäläinen, TOIS 2002. Equal scores share the mean of their places' discounts, as
/// in scikit-learn. The mean over the lists in which anything is relevant.
///
/// Without `group` a sample is a list: predictions [N, L] scores, targets [N, L] relevances >= 0,
/// NaN missing or filled up; sample weights [N] weigh lists. With it, the name of a target of whole
/// numbers [N], the rows of one number are a list (a query's documents): predictions and targets
/// [N] or [N, 1]; a list weighs the mean of the weights of its rows. By itself:
/// Ndcg{}(predictions, targets, sample_weights, groups). NaN without a list in which anything is
/// relevant, and where a score that counts is NaN. By group it keeps 24 bytes a row.
struct Ndcg {
  enum class Gain {
    linear,
    exponential
  };  // the relevance, or 2^relevance - 1 (Burges et al. 2005)

  static constexpr bool higher_is_better = true;
  int64_t k = 10;  ///< places that count, at least 1
  Gain gain = Gain::linear;
  std::string group = {};
  std::string name = "ndcg_" + std::to_string(k);

  struct State {
    task_detail::WeightedMean lists = {};
    task_detail::GroupedRows rows = {};

    void merge(const State& other) {
      lists.merge(other.lists);
      rows.merge(other.rows);
    }
  };

  /// Error: k below 1, other shapes. RowError: a relevance below 0.
  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights, const Tensor& groups) const {
    if (k < 1) throw Error("Ndcg: k is {}, expected at least 1", k);
    check_counts(targets.to(torch::kCPU));
    if (!group.empty() || groups.defined())
      return state.rows.add("Ndcg", predictions, targets, sample_weights, groups);
    if (predictions.dim() != 2)
      throw Error("Ndcg: predictions {}, expected lists [N, L], or rows and a group",
                  shape_text(predictions));
    if (predictions.size(0) == 0) return;
    match_target(predictions, targets);
    // A list is an output of its own where rows and columns change places. In the type that says
    // what is missing.
    const auto lists = task_detail::pairs_by_output(
        predictions.transpose(0, 1), targets.reshape(predictions.sizes()).transpose(0, 1), {});
    if (sample_weights.defined()) check_sample_weights(sample_weights, predictions.size(0));
    for (size_t n = 0; n < lists.size(); ++n) {
      const double weight =
          sample_weights.defined() ? sample_weights[static_cast<int64_t>(n)].item<double>() : 1;
      if (weight > 0) add_list(state.lists, lists[n], weight);
    }
  }
  double value(const State& state) const {
    task_detail::WeightedMean mean = state.lists;
    for (const auto& [number, pairs] : state.rows.groups)
      add_list(mean, pairs, pairs.total / static_cast<double>(pairs.size()));
    return mean.value();
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor(),
                    const Tensor& groups = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights, groups);
  }

 private:
  void add_list(task_detail::WeightedMean& mean, const task_detail::Pairs& list,
                double weight) const {
    if (list.has_nan()) return mean.add(task_detail::no_value, weight);
    const double best = gained(list, list.truth);
    if (best > 0) mean.add(weight * gained(list, list.predicted) / best, weight);
  }

  /// The DCG of the list in the falling order of `scores`.
  double gained(const task_detail::Pairs& list, const std::vector<double>& scores) const {
    const std::vector<size_t> order = falling_order(scores);
    double sum = 0;
    for_each_tie(scores, order, [&](size_t begin, size_t end) {
      double discounts = 0, gains = 0;
      for (size_t place = begin; place < end; ++place) {
        if (static_cast<int64_t>(place) < k)
          discounts += 1 / std::log2(static_cast<double>(place) + 2);
        const double relevance = list.truth[order[place]];
        gains += gain == Gain::linear ? relevance : std::exp2(relevance) - 1;
      }
      sum += discounts * gains / static_cast<double>(end - begin);
    });
    return sum;
  }
};

}  // namespace mtl
