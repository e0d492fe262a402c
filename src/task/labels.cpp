#include "mtl/task/labels.hpp"

#include <fmt/format.h>

#include <vector>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// The lengths without ones, the batch dimension kept.
std::vector<int64_t> lengths_that_count(const Tensor& tensor) {
  std::vector<int64_t> lengths;
  for (int64_t d = 0; d < tensor.dim(); ++d)
    if (d == 0 || tensor.size(d) != 1) lengths.push_back(tensor.size(d));
  return lengths;
}

/// RowError about the first entry for which `wrong(value)`, on the CPU.
template <class Wrong>
void check_entries(const Tensor& target, Wrong wrong, const char* what, const char* rule) {
  if (!target.device().is_cpu()) return;
  const bool integer = !target.is_floating_point();
  const Tensor entries = target.to(torch::kDouble).contiguous();
  const double* const values = entries.data_ptr<double>();
  for (int64_t i = 0; i < entries.numel(); ++i) {
    if (!wrong(values[i]) || (integer && values[i] == missing_class)) continue;
    throw RowError(i / (entries.numel() / entries.size(0)),
                   fmt::format("the target has {} {} in ", what, values[i]), rule);
  }
}

}  // namespace

Tensor match_target(const Tensor& prediction, const Tensor& target) {
  const bool same = prediction.sizes() == target.sizes();
  if (!same && (prediction.dim() == 0 || target.dim() == 0 ||
                lengths_that_count(prediction) != lengths_that_count(target)))
    throw Error(
        "the prediction has shape {}, its target {}; both need the same shape, where [N] and "
        "[N, 1] are the same",
        shape_text(prediction), shape_text(target));
  return (same ? target : target.reshape(prediction.sizes())).to(prediction.options());
}

SampleLosses over_labelled(const Tensor& losses, const Tensor& labelled) {
  const Tensor known = losses.masked_fill(labelled.logical_not(), 0);
  if (losses.dim() < 2) return {known, labelled.to(losses.scalar_type())};
  const Tensor count = labelled.flatten(1).sum(1);
  const auto entries = static_cast<double>(losses.numel()) / static_cast<double>(losses.size(0));
  return {known.flatten(1).sum(1) / count.clamp_min(1), count.to(losses.scalar_type()) / entries};
}

int64_t values_per_sample(const Tensor& prediction, const Tensor& target, int64_t parts,
                          std::string_view meaning) {
  const bool fits = target.dim() == 1 || target.dim() == 2;
  const int64_t values = target.dim() == 2 ? target.size(1) : 1;
  if (!fits || prediction.dim() != 2 || prediction.size(0) != target.size(0) ||
      prediction.size(1) != values * parts)
    throw Error(
        "the prediction has shape {}, its target {}; expected a prediction [N, {} K] ({}) for a "
        "target [N, K] or, for K = 1, [N]",
        shape_text(prediction), shape_text(target), parts, meaning);
  return values;
}

void check_classes(const Tensor& target, int64_t classes) {
  if (target.scalar_type() != torch::kLong) {
    throw Error(
        "the target has type {}, expected class indices (torch::kLong). For scores between 0 and 1 "
        "use BinaryCrossEntropy",
        toString(target.scalar_type()));
  }
  if (!target.device().is_cpu()) return;
  const Tensor rows = target.contiguous();
  const int64_t* const labels = rows.data_ptr<int64_t>();
  const int64_t row_size = rows.dim() > 0 && rows.size(0) > 0 ? rows.numel() / rows.size(0) : 1;
  for (int64_t i = 0; i < rows.numel(); ++i) {
    if (labels[i] == missing_class || (labels[i] >= 0 && labels[i] < classes)) continue;
    const std::string remedy = labels[i] < 0
                                   ? std::string("Map")
                                   : fmt::format("Give the head {} outputs, or map", labels[i] + 1);
    throw RowError(i / row_size, fmt::format("the target has class {} in ", labels[i]),
                   fmt::format(", but its head has {} outputs (classes 0..{}). {} the label in the "
                               "data set ({} marks a missing label)",
                               classes, classes - 1, remedy, missing_class));
  }
}

void check_scores(const Tensor& target) {
  check_entries(
      target, [](double score) { return score < 0 || score > 1; }, "score",
      "; a score lies in [0, 1], a missing one is NaN. Scale the scores, or choose a regression "
      "loss");
}

void check_counts(const Tensor& target) {
  check_entries(
      target, [](double count) { return count < 0; }, "count",
      "; a count or rate is at least 0, a missing one is NaN");
}

}  // namespace mtl
