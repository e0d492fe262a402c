#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/task/metrics/class_scores.hpp"
#include "mtl/task/metrics/outputs.hpp"

namespace mtl {

// Metrics of decisions, with scikit-learn's meanings. What they take:
//   predictions [N, C] class scores (the largest decides, the first of equal ones), or [N, C, ...]
//     of one class a pixel; targets [N], [N, ...] or [N, 1, ...] class indices, -100 missing
//   predictions [N, ...] class indices; targets of the same shape
//   predictions [N, ...] logits of a yes (above 0 decides), several outputs or pixels; targets of
//     the same shape, in [0, 1] (.5 and above is a yes), NaN missing: every labelled entry is a
//     decision of its own
// Lengths of 1 behind the first do not count: [N] and [N, 1] are the same.
// Sample weights [N] >= 0: a row of weight 0 is left out, one of weight 2 counts as two.
// Without any label, and where a prediction that counts is NaN: NaN.
// Error: shapes that are none of these, a class outside the head's, weights that are none.

/// How often each true class (row) was predicted as each class (column): [C, C] torch::kLong, or
/// torch::kDouble sums of weights where there are sample weights. C is the number of class scores,
/// 2 for logits of a yes, one more than the largest for class indices.
/// Error: as above, and a prediction that is NaN.
inline Tensor confusion_matrix(const Tensor& predictions, const Tensor& targets,
                               const Tensor& sample_weights = Tensor());

/// How a value by class becomes one: over all decisions, the mean over the classes that occur in
/// targets or predictions, or that mean weighted by how often a class occurs in the targets.
enum class Average { micro, macro, weighted };

namespace task_detail {

/// Predicted and true classes of the decisions that count, all [M] on the CPU.
struct Decisions {
  Tensor predicted, truth, weights;
  int64_t classes = 0;
  bool has_nan = false;
};

inline Decisions decisions_by_scores(const ClassScores& scores) {
  Tensor predicted = torch::empty({scores.samples()}, torch::kLong);
  for (int64_t n = 0; n < scores.samples(); ++n)
    predicted.data_ptr<int64_t>()[n] = scores.decision(n);
  return {predicted, scores.truth, scores.weights, scores.classes(), scores.has_nan()};
}

inline Decisions decisions_by_index(const Tensor& predictions, const Tensor& targets,
                                    const Tensor& sample_weights) {
  const Tensor counts = entries_that_count(targets, sample_weights);
  const Tensor all = class_indices(predictions.reshape(targets.sizes()), counts);
  const Tensor wrong = all.lt(0).logical_and(counts);
  if (wrong.any().item<bool>())
    throw RowError(wrong.nonzero()[0][0].item<int64_t>(), "the prediction is a class below 0 in ",
                   "");
  const Tensor labels = class_indices(targets, counts);
  const Tensor predicted = all.masked_select(counts), truth = labels.masked_select(counts);
  const auto largest = [](const Tensor& values) {
    return values.numel() == 0 ? -1 : values.max().item<int64_t>();
  };
  const int64_t classes = std::max(largest(predicted), largest(truth)) + 1;
  check_classes(labels, classes);
  return {predicted, truth, weights_of_entries(targets, sample_weights).masked_select(counts),
          classes};
}

inline Decisions decisions_of_yes(const Tensor& predictions, const Tensor& targets,
                                  const Tensor& sample_weights) {
  const Tensor logits = predictions.detach().to(torch::kCPU, torch::kDouble);
  const Tensor scores = match_target(logits, targets);
  const Tensor counts = entries_that_count(targets, sample_weights).reshape(logits.sizes());
  const Tensor weights =
      weights_of_entries(targets, sample_weights).reshape(logits.sizes()).masked_select(counts);
  const Tensor counted = logits.masked_select(counts);
  return {counted.gt(0).to(torch::kLong), scores.ge(0.5).to(torch::kLong).masked_select(counts),
          weights, 2, counted.isnan().any().item<bool>()};
}

inline Decisions decisions_of(const Tensor& predictions, const Tensor& targets,
                              const Tensor& sample_weights) {
  if (are_class_scores(predictions, targets))
    return decisions_by_scores(class_scores_of(predictions, targets, sample_weights));
  if (!predictions.is_floating_point() && predictions.dim() > 0 && targets.dim() > 0 &&
      predictions.size(0) == targets.size(0) && predictions.numel() == targets.numel())
    return decisions_by_index(predictions, targets, sample_weights);
  return decisions_of_yes(predictions, targets, sample_weights);
}

/// [C, C] double.
inline Tensor confusion_of(const Decisions& decisions) {
  const int64_t classes = decisions.classes;
  return torch::bincount(decisions.truth * classes + decisions.predicted, decisions.weights,
                         classes * classes)
      .to(torch::kDouble)
      .view({classes, classes});
}

/// A confusion matrix in numbers: what was right, and how often each class occurs and is predicted,
/// in sums of weights times one number.
struct Counts {
  std::vector<double> right, truth, predicted;
  double total = 0;  // NaN where a prediction is
  double all_right = 0;

  size_t classes() const { return right.size(); }
  bool none() const { return !(total > 0); }
};

/// The State of metrics of decisions: of the confusion matrix what they need, so that heads of very
/// many classes cost three numbers a class.
struct DecisionCounts {
  static constexpr bool takes_logits = true;
  std::vector<double> right, truth, predicted;  // by class, sums of weights
  bool has_nan = false;

  void add(const Tensor& predictions, const Tensor& targets, const Tensor& sample_weights) {
    const Decisions decisions = decisions_of(predictions, targets, sample_weights);
    grow(static_cast<size_t>(decisions.classes));
    has_nan = has_nan || decisions.has_nan;
    const Tensor is = decisions.truth.contiguous(), said = decisions.predicted.contiguous(),
                 weights = decisions.weights.contiguous();
    for (int64_t i = 0; i < is.numel(); ++i) {
      const auto t = static_cast<size_t>(is.data_ptr<int64_t>()[i]),
                 p = static_cast<size_t>(said.data_ptr<int64_t>()[i]);
      const double weight = weights.data_ptr<double>()[i];
      truth[t] += weight;
      predicted[p] += weight;
      if (t == p) right[t] += weight;
    }
  }
  void merge(const DecisionCounts& other) {
    grow(other.truth.size());
    has_nan = has_nan || other.has_nan;
    for (size_t c = 0; c < other.truth.size(); ++c) {
      right[c] += other.right[c];
      truth[c] += other.truth[c];
      predicted[c] += other.predicted[c];
    }
  }

  Counts counts() const {
    Counts counts{right, truth, predicted};
    if (has_nan) {
      counts.total = no_value;
      return counts;
    }
    double sum = 0;
    for (const double weight : truth) sum += weight;
    const double scale = near_one(sum);
    for (auto* of_class : {&counts.right, &counts.truth, &counts.predicted})
      for (double& weight : *of_class) weight *= scale;
    for (size_t c = 0; c < truth.size(); ++c) {
      counts.total += counts.truth[c];
      counts.all_right += counts.right[c];
    }
    return counts;
  }

 private:
  void grow(size_t classes) {
    if (classes <= truth.size()) return;
    right.resize(classes);
    truth.resize(classes);
    predicted.resize(classes);
  }
};

inline double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

/// Averages a value by class, `value(right, truth, predicted)`.
template <class F>
double average_of(const Counts& counts, Average average, F value) {
  if (counts.none()) return no_value;
  if (average == Average::micro) return value(counts.all_right, counts.total, counts.total);
  double sum = 0;
  double weights = 0;
  for (size_t c = 0; c < counts.classes(); ++c) {
    if (counts.truth[c] == 0 && counts.predicted[c] == 0) continue;
    const double weight = average == Average::macro ? 1 : counts.truth[c];
    sum += weight * value(counts.right[c], counts.truth[c], counts.predicted[c]);
    weights += weight;
  }
  return sum / weights;
}

}  // namespace task_detail

inline Tensor confusion_matrix(const Tensor& predictions, const Tensor& targets,
                               const Tensor& sample_weights) {
  const auto decisions = task_detail::decisions_of(predictions, targets, sample_weights);
  if (decisions.has_nan) throw Error("confusion_matrix: a prediction is NaN");
  const Tensor matrix = task_detail::confusion_of(decisions);
  return sample_weights.defined() ? matrix : matrix.to(torch::kLong);
}

}  // namespace mtl
