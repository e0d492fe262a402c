#include "mtl/task/labels.hpp"

#include <algorithm>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// The sizes without ones at their end, the batch dimension kept: [N, 1, 1] is [N].
at::IntArrayRef without_trailing_ones(at::IntArrayRef sizes) {
  while (sizes.size() > 1 && sizes.back() == 1) sizes = sizes.slice(0, sizes.size() - 1);
  return sizes;
}

template <class Scalar>
void check_scores_of(const Tensor& target) {
  const Tensor rows = target.contiguous();
  const Scalar* const scores = rows.data_ptr<Scalar>();
  const int64_t row_size = rows.size(0) > 0 ? rows.numel() / rows.size(0) : 0;
  for (int64_t i = 0; i < rows.numel(); ++i) {
    if (scores[i] < Scalar(0) || scores[i] > Scalar(1)) {
      throw Error(
          "the target has score {} in row {}; a score lies in [0, 1], a missing one is NaN. Scale "
          "the "
          "scores, or choose a regression loss",
          scores[i], i / row_size);
    }
  }
}

}  // namespace

Tensor labelled_entries(const Tensor& target) {
  return target.is_floating_point() ? target.isnan().logical_not() : target.ne(missing_class);
}

Tensor match_target(const Tensor& prediction, const Tensor& target) {
  const bool same = prediction.sizes() == target.sizes();
  if (!same &&
      (prediction.dim() == 0 || target.dim() == 0 ||
       without_trailing_ones(prediction.sizes()) != without_trailing_ones(target.sizes()))) {
    throw Error(
        "the prediction has shape {}, its target {}; both need the same shape, where [N] and [N, "
        "1] "
        "are the same",
        shape_text(prediction), shape_text(target));
  }
  return (same ? target : target.reshape(prediction.sizes())).to(prediction.options());
}

SampleLosses over_labelled(const Tensor& losses, const Tensor& labelled) {
  const Tensor known = losses.masked_fill(labelled.logical_not(), 0);
  if (losses.dim() < 2) return {known, labelled.to(losses.scalar_type())};
  const Tensor count = labelled.flatten(1).sum(1);
  const auto entries = static_cast<double>(losses.numel()) / static_cast<double>(losses.size(0));
  return {known.flatten(1).sum(1) / count.clamp_min(1), count.to(losses.scalar_type()) / entries};
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
    throw Error(
        "the target has class {} in row {}, but its head has {} outputs (classes 0..{}). Give the "
        "head {} outputs, or map the label in the data set ({} marks a missing label)",
        labels[i], i / row_size, classes, classes - 1, std::max(labels[i] + 1, classes),
        missing_class);
  }
}

void check_scores(const Tensor& target) {
  if (!target.device().is_cpu()) return;
  if (target.scalar_type() == torch::kFloat) {
    check_scores_of<float>(target);
  } else if (target.scalar_type() == torch::kDouble) {
    check_scores_of<double>(target);
  } else {
    check_scores_of<double>(
        target.to(torch::kDouble).masked_fill(labelled_entries(target).logical_not(), 0));
  }
}

}  // namespace mtl
