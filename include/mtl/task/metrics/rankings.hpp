#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "mtl/core/order.hpp"
#include "mtl/task/metrics/class_scores.hpp"
#include "mtl/task/metrics/outputs.hpp"

// Metrics of scores. They take what the metrics of decisions take (confusion_matrix.hpp), but no
// class indices as predictions. Several classes: one class against the rest, by softmax, the mean
// over the classes; several yes/no outputs, [N, K] or [N, K, H, W]: the mean over the outputs. A
// class or output for which the value is not defined is left out; NaN where none remains, and where
// a score that counts is NaN.
namespace mtl::task_detail {

/// Scores of one question with its answers and their weights, highest score first.
struct Ranking {
  std::vector<double> scores, positive, negative;  // the last two: weights, one of them 0
  double positives = 0, negatives = 0;             // sums
  bool has_nan = false;

  void add(double score, bool yes, double weight) {
    scores.push_back(score);
    positive.push_back(yes ? weight : 0);
    negative.push_back(yes ? 0 : weight);
    (yes ? positives : negatives) += weight;
    has_nan = has_nan || std::isnan(score);
  }

  void sort() {
    if (has_nan) return;
    const std::vector<size_t> order = falling_order(scores);
    const auto ordered = [&](std::vector<double>& values) {
      std::vector<double> sorted;
      sorted.reserve(order.size());
      for (const size_t i : order) sorted.push_back(values[i]);
      values = std::move(sorted);
    };
    ordered(scores);
    ordered(positive);
    ordered(negative);
  }

  /// Calls `f(positives, negatives)` for each run of equal scores, from the highest score down.
  /// Equal is what differs by no more than the rounding of a softmax.
  template <class F>
  void for_each_threshold(F f) const {
    for (size_t begin = 0, end = 0; begin < scores.size(); begin = end) {
      const double rounding = 8 * std::numeric_limits<double>::epsilon() * std::abs(scores[begin]);
      double yes = 0, no = 0;
      const auto equal = [&](size_t i) {  // to infinity infinity alone
        return scores[i] == scores[begin] ||
               (std::isfinite(rounding) && scores[begin] - scores[i] <= rounding);
      };
      for (; end < scores.size() && equal(end); ++end) {
        yes += positive[end];
        no += negative[end];
      }
      f(yes, no);
    }
  }
};

/// The ranking of one yes/no output.
inline Ranking ranking_of(const Pairs& pairs) {
  Ranking ranking;
  for (size_t i = 0; i < pairs.size(); ++i)
    ranking.add(pairs.predicted[i], pairs.truth[i] >= 0.5, pairs.weights[i]);
  ranking.sort();
  return ranking;
}

/// Chance that a positive has a higher score than a negative, equal ones counting half.
inline double area_under_roc(const Ranking& ranking) {
  const double yes = near_one(ranking.positives), no = near_one(ranking.negatives);
  double above = 0;  // positives with a higher score than the negatives at hand
  double area = 0;
  ranking.for_each_threshold([&](double positives, double negatives) {
    area += no * negatives * (above + yes * positives / 2);
    above += yes * positives;
  });
  return area / (yes * ranking.positives * (no * ranking.negatives));
}

/// One ranking a question: one for two classes, C one-against-rest for more, K for K yes/no
/// outputs.
inline std::vector<Ranking> rankings_of(const Tensor& predictions, const Tensor& targets,
                                        const Tensor& sample_weights) {
  std::vector<Ranking> rankings;
  if (are_class_scores(predictions, targets)) {
    auto scores = class_scores_of(predictions, targets, sample_weights);
    scores.scores = scores.scores.softmax(1);
    for (int64_t c = scores.classes() == 2 ? 1 : 0; c < scores.classes(); ++c) {
      Ranking& ranking = rankings.emplace_back();
      for (int64_t n = 0; n < scores.samples(); ++n)
        ranking.add(scores.row(n)[c], scores.label(n) == c, scores.weight(n));
      ranking.sort();
    }
  } else {
    for (const Pairs& pairs : pairs_by_output(predictions, targets, sample_weights))
      rankings.push_back(ranking_of(pairs));
  }
  return rankings;
}

/// The mean of `value(Ranking)` over the rankings for which `defined(Ranking)` holds.
template <class Defined, class Value>
double mean_where(const std::vector<Ranking>& rankings, Defined defined, Value value) {
  double sum = 0;
  double count = 0;
  for (const Ranking& ranking : rankings) {
    if (ranking.has_nan) return no_value;
    if (!defined(ranking)) continue;
    sum += value(ranking);
    ++count;
  }
  return count == 0 ? no_value : sum / count;
}

}  // namespace mtl::task_detail
