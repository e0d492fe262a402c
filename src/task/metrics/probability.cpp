#include "mtl/task/metrics/probability.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "nan.hpp"

namespace mtl {
namespace {

/// Log-probabilities [M, C] in double precision and classes [M] of the labelled rows.
struct Likelihoods {
  Tensor log_probability, truth;
};

Likelihoods likelihoods_of(const Tensor& predictions, const Tensor& targets) {
  if (predictions.dim() != 2 || targets.dim() < 1 || targets.numel() != targets.size(0) ||
      predictions.size(0) != targets.size(0)) {
    throw Error("predictions {} and targets {}, expected class scores [N, C] and classes [N]",
                shape_text(predictions), shape_text(targets));
  }
  const Tensor truth = targets.to(torch::kCPU, torch::kLong).flatten();
  check_classes(truth, predictions.size(1));
  const Tensor rows = truth.ne(missing_class).nonzero().squeeze(1);
  const Tensor logits = predictions.detach().to(torch::kCPU, torch::kDouble).index_select(0, rows);
  return {logits.log_softmax(1).contiguous(), truth.index_select(0, rows)};
}

}  // namespace

double LogLoss::operator()(const Tensor& predictions, const Tensor& targets) const {
  const auto [log_probability, truth] = likelihoods_of(predictions, targets);
  if (truth.numel() == 0) return nan;
  return -log_probability.gather(1, truth.unsqueeze(1)).mean().item<double>();
}

double SoftBce::operator()(const Tensor& predictions, const Tensor& targets) const {
  check_scores(targets);
  const Tensor logits = predictions.detach().to(torch::kCPU, torch::kDouble);
  const Tensor scores = match_target(logits, targets);
  const Tensor labelled = labelled_entries(targets).to(torch::kCPU).view(scores.sizes());
  if (!labelled.any().item<bool>()) return nan;
  return torch::binary_cross_entropy_with_logits(logits.masked_select(labelled),
                                                 scores.masked_select(labelled))
      .item<double>();
}

double CalibrationError::operator()(const Tensor& predictions, const Tensor& targets) const {
  if (bins < 1) throw Error("CalibrationError: {} bins, expected at least 1", bins);
  const auto [log_probability, truth] = likelihoods_of(predictions, targets);
  const int64_t samples = truth.numel();
  const int64_t classes = log_probability.size(1);
  std::vector<double> confidence(static_cast<size_t>(bins));
  std::vector<double> right(static_cast<size_t>(bins));
  for (int64_t n = 0; n < samples; ++n) {
    const double* const row = log_probability.data_ptr<double>() + n * classes;
    const int64_t decision = std::max_element(row, row + classes) - row;
    const double probability = std::exp(row[decision]);
    if (std::isnan(probability)) return nan;
    // Bins are open below and closed above.
    const double edge = std::ceil(probability * static_cast<double>(bins)) - 1;
    const auto bin = static_cast<size_t>(std::clamp(edge, 0.0, static_cast<double>(bins - 1)));
    confidence[bin] += probability;
    right[bin] += decision == truth.data_ptr<int64_t>()[n] ? 1 : 0;
  }
  double distance = 0;
  for (size_t bin = 0; bin < confidence.size(); ++bin) {
    distance += std::abs(confidence[bin] - right[bin]);
  }
  return samples == 0 ? nan : distance / static_cast<double>(samples);
}

}  // namespace mtl
