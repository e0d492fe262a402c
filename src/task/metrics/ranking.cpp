#include "mtl/task/metrics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "nan.hpp"

namespace mtl {
namespace {

/// Scores of one question with its answers, highest score first.
struct Ranking {
  std::vector<double> scores;
  std::vector<bool> positive;
  double positives = 0;

  double negatives() const { return static_cast<double>(scores.size()) - positives; }
};

/// Scores and truth, [M] each on CPU, without the missing labels.
Ranking ranking_of(const Tensor& scores, const Tensor& truth, const Tensor& labelled) {
  const Tensor s = scores.masked_select(labelled);
  const Tensor t = truth.masked_select(labelled);
  std::vector<int64_t> order(static_cast<size_t>(s.numel()));
  std::iota(order.begin(), order.end(), 0);
  const double* const values = s.data_ptr<double>();
  std::stable_sort(order.begin(), order.end(),
                   [values](int64_t a, int64_t b) { return values[a] > values[b]; });
  Ranking ranking;
  for (const int64_t i : order) {
    ranking.scores.push_back(values[i]);
    ranking.positive.push_back(t.data_ptr<bool>()[i]);
    if (ranking.positive.back()) ++ranking.positives;
  }
  return ranking;
}

bool has_class_scores(const Tensor& predictions, const Tensor& targets) {
  return predictions.dim() == 2 && predictions.size(1) > 1 && targets.dim() >= 1 &&
         targets.numel() == targets.size(0);
}

/// One ranking a question: one for two classes, C one-against-rest for more, K for K yes/no
/// outputs.
std::vector<Ranking> rankings_of(const Tensor& predictions, const Tensor& targets) {
  const Tensor scores = predictions.detach().to(torch::kCPU, torch::kDouble);
  const Tensor labelled = labelled_entries(targets).to(torch::kCPU);
  std::vector<Ranking> rankings;
  if (has_class_scores(predictions, targets) && predictions.size(0) == targets.size(0)) {
    const Tensor truth = targets.to(torch::kCPU, torch::kLong).flatten();
    check_classes(truth, scores.size(1));
    const Tensor probability = scores.softmax(1);
    for (int64_t c = scores.size(1) == 2 ? 1 : 0; c < scores.size(1); ++c) {
      rankings.push_back(ranking_of(probability.select(1, c), truth.eq(c), labelled.flatten()));
    }
    return rankings;
  }
  const Tensor truth = match_target(scores, targets).ge(0.5);
  const int64_t rows = scores.size(0);
  const int64_t outputs = rows == 0 ? 0 : scores.numel() / rows;
  for (int64_t k = 0; k < outputs; ++k) {
    const auto column = [&](const Tensor& values) {
      return values.reshape({rows, outputs}).select(1, k);
    };
    rankings.push_back(ranking_of(column(scores), column(truth), column(labelled)));
  }
  return rankings;
}

/// The mean of the values of the rankings for which `defined` holds.
template <class Defined, class Value>
double mean_where(const std::vector<Ranking>& rankings, Defined defined, Value value) {
  double sum = 0;
  double count = 0;
  for (const Ranking& ranking : rankings) {
    if (!defined(ranking)) continue;
    sum += value(ranking);
    ++count;
  }
  return count == 0 ? nan : sum / count;
}

/// Calls `f(positives, samples)` for each run of equal scores, from the highest score down. Equal
/// is what differs by no more than the rounding of a softmax.
template <class F>
void for_each_threshold(const Ranking& ranking, F f) {
  const size_t size = ranking.scores.size();
  for (size_t begin = 0; begin < size;) {
    size_t end = begin;
    double positives = 0;
    const double rounding =
        8 * std::numeric_limits<double>::epsilon() * std::abs(ranking.scores[begin]);
    for (; end < size && ranking.scores[begin] - ranking.scores[end] <= rounding; ++end) {
      if (ranking.positive[end]) ++positives;
    }
    end = std::max(end, begin + 1);  // NaN equals nothing, not even itself
    f(positives, static_cast<double>(end - begin));
    begin = end;
  }
}

double area_under_roc(const Ranking& ranking) {
  double above =
      0;  // negatives seen so far would be below; count the positives above each negative
  double area = 0;
  for_each_threshold(ranking, [&](double positives, double samples) {
    area += (samples - positives) * (above + positives / 2);
    above += positives;
  });
  return area / (ranking.positives * ranking.negatives());
}

double average_precision(const Ranking& ranking) {
  double found = 0;
  double seen = 0;
  double area = 0;
  for_each_threshold(ranking, [&](double positives, double samples) {
    found += positives;
    seen += samples;
    area += positives / ranking.positives * (found / seen);
  });
  return area;
}

}  // namespace

double RocAuc::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_where(
      rankings_of(predictions, targets),
      [](const Ranking& r) { return r.positives > 0 && r.negatives() > 0; }, area_under_roc);
}

double AveragePrecision::operator()(const Tensor& predictions, const Tensor& targets) const {
  return mean_where(
      rankings_of(predictions, targets), [](const Ranking& r) { return r.positives > 0; },
      average_precision);
}

double TopK::operator()(const Tensor& predictions, const Tensor& targets) const {
  if (!has_class_scores(predictions, targets) || predictions.size(0) != targets.size(0)) {
    throw Error("TopK: predictions {} and targets {}, expected class scores [N, C] and classes [N]",
                shape_text(predictions), shape_text(targets));
  }
  const int64_t classes = predictions.size(1);
  if (k < 1 || k > classes) throw Error("TopK: k is {}, expected 1 to {} classes", k, classes);
  const Tensor scores = predictions.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const Tensor truth = targets.to(torch::kCPU, torch::kLong).flatten();
  check_classes(truth, classes);
  double hits = 0;
  double labelled = 0;
  for (int64_t n = 0; n < truth.size(0); ++n) {
    const int64_t label = truth.data_ptr<int64_t>()[n];
    if (label == missing_class) continue;
    const double* const row = scores.data_ptr<double>() + n * classes;
    int64_t ahead = 0;
    for (int64_t c = 0; c < classes; ++c) {
      ahead += row[c] > row[label] || (row[c] == row[label] && c > label);
    }
    ++labelled;
    if (ahead < k) ++hits;
  }
  return labelled == 0 ? nan : hits / labelled;
}

}  // namespace mtl
