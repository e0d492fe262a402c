#include "mtl/task/metrics/classification.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "nan.hpp"

namespace mtl {
namespace {

/// The first of the largest scores a row; LibTorch leaves open which of equal ones it takes.
Tensor first_largest(const Tensor& scores) {
  const Tensor rows = scores.detach().to(torch::kCPU, torch::kDouble).contiguous();
  Tensor classes = torch::empty({rows.size(0)}, torch::kLong);
  const int64_t count = rows.size(1);
  for (int64_t n = 0; n < rows.size(0); ++n) {
    const double* const row = rows.data_ptr<double>() + n * count;
    classes.data_ptr<int64_t>()[n] = std::max_element(row, row + count) - row;
  }
  return classes;
}

/// Predicted and true classes of the labelled decisions, both [M] torch::kLong on CPU.
struct Decisions {
  Tensor predicted, truth;
  int64_t classes;
};

Decisions decisions_of(const Tensor& predictions, const Tensor& targets) {
  const Tensor labelled = labelled_entries(targets).to(torch::kCPU).flatten();
  const auto pick = [&](const Tensor& values) {
    return values.flatten().to(torch::kCPU).masked_select(labelled);
  };
  const bool one_target = targets.dim() >= 1 && targets.numel() == targets.size(0);
  const bool class_scores = predictions.dim() == 2 && predictions.size(1) > 1;
  if (class_scores && one_target && predictions.size(0) == targets.size(0)) {
    const Tensor truth = pick(targets.to(torch::kLong));
    check_classes(truth, predictions.size(1));
    return {pick(first_largest(predictions)), truth, predictions.size(1)};
  }
  if (!predictions.is_floating_point() && one_target && predictions.numel() == targets.numel()) {
    const Tensor truth = pick(targets.to(torch::kLong));
    const Tensor predicted = pick(predictions.to(torch::kLong));
    const bool empty = truth.numel() == 0;
    const auto largest = [](const Tensor& values) { return values.max().item<int64_t>(); };
    const int64_t classes = empty ? 0 : std::max(largest(truth), largest(predicted)) + 1;
    check_classes(truth, classes);
    check_classes(predicted, classes);
    return {predicted, truth, classes};
  }
  const Tensor truth = match_target(predictions, targets);
  return {pick(predictions.detach().gt(0).to(torch::kLong)), pick(truth.ge(0.5).to(torch::kLong)),
          2};
}

/// A confusion matrix in numbers: what was right, and how often each class occurs and is predicted.
struct Counts {
  explicit Counts(const Tensor& matrix) {
    const auto classes = static_cast<size_t>(matrix.size(0));
    right.resize(classes);
    truth.resize(classes);
    predicted.resize(classes);
    const int64_t* entry = matrix.data_ptr<int64_t>();
    for (size_t t = 0; t < classes; ++t) {
      for (size_t p = 0; p < classes; ++p, ++entry) {
        const auto count = static_cast<double>(*entry);
        truth[t] += count;
        predicted[p] += count;
        total += count;
        if (t == p) right[t] += count;
      }
    }
  }

  std::vector<double> right, truth, predicted;
  double total = 0;

  size_t classes() const { return right.size(); }
  double all_right() const {
    double sum = 0;
    for (const double count : right) sum += count;
    return sum;
  }
};

Counts count(const Tensor& predictions, const Tensor& targets) {
  return Counts(confusion_matrix(predictions, targets));
}

double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

/// Averages a value by class, `value(right, truth, predicted)`.
template <class F>
double average_of(const Counts& counts, Average average, F value) {
  if (counts.total == 0) return nan;
  if (average == Average::micro) return value(counts.all_right(), counts.total, counts.total);
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

}  // namespace

Tensor confusion_matrix(const Tensor& predictions, const Tensor& targets) {
  const auto [predicted, truth, classes] = decisions_of(predictions, targets);
  return torch::bincount(truth * classes + predicted, {}, classes * classes)
      .view({classes, classes});
}

double Accuracy::operator()(const Tensor& predictions, const Tensor& targets) const {
  const Counts counts = count(predictions, targets);
  return counts.total == 0 ? nan : counts.all_right() / counts.total;
}

double BalancedAccuracy::operator()(const Tensor& predictions, const Tensor& targets) const {
  const Counts counts = count(predictions, targets);
  double sum = 0;
  double occurring = 0;
  for (size_t c = 0; c < counts.classes(); ++c) {
    if (counts.truth[c] == 0) continue;
    sum += counts.right[c] / counts.truth[c];
    ++occurring;
  }
  return occurring == 0 ? nan : sum / occurring;
}

double Precision::operator()(const Tensor& predictions, const Tensor& targets) const {
  return average_of(count(predictions, targets), average,
                    [](double right, double, double predicted) { return ratio(right, predicted); });
}

double Recall::operator()(const Tensor& predictions, const Tensor& targets) const {
  return average_of(count(predictions, targets), average,
                    [](double right, double truth, double) { return ratio(right, truth); });
}

double F1::operator()(const Tensor& predictions, const Tensor& targets) const {
  return average_of(
      count(predictions, targets), average,
      [](double right, double truth, double predicted) { return 2 * right / (truth + predicted); });
}

double MatthewsCorrelation::operator()(const Tensor& predictions, const Tensor& targets) const {
  const Counts counts = count(predictions, targets);
  if (counts.total == 0) return nan;
  double both = 0;
  double truths = 0;
  double predictions_squared = 0;
  for (size_t c = 0; c < counts.classes(); ++c) {
    both += counts.truth[c] * counts.predicted[c];
    truths += counts.truth[c] * counts.truth[c];
    predictions_squared += counts.predicted[c] * counts.predicted[c];
  }
  const double all = counts.total * counts.total;
  const double covariance = counts.all_right() * counts.total - both;
  return ratio(covariance, std::sqrt(all - truths) * std::sqrt(all - predictions_squared));
}

double CohenKappa::operator()(const Tensor& predictions, const Tensor& targets) const {
  const Counts counts = count(predictions, targets);
  double chance = 0;
  for (size_t c = 0; c < counts.classes(); ++c) chance += counts.truth[c] * counts.predicted[c];
  chance /= counts.total * counts.total;
  return chance == 1 ? nan : (counts.all_right() / counts.total - chance) / (1 - chance);
}

double MeanIou::operator()(const Tensor& predictions, const Tensor& targets) const {
  return average_of(count(predictions, targets), Average::macro,
                    [](double right, double truth, double predicted) {
                      return right / (truth + predicted - right);
                    });
}

}  // namespace mtl
