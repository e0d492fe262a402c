#include "mtl/task/class_labels.hpp"

#include "mtl/core/error.hpp"

namespace mtl {

void check_class_weights(std::string_view loss, const Tensor& weights) {
  if (!weights.defined()) return;
  if (weights.dim() != 1 || !weights.is_floating_point() ||
      !weights.ge(0).logical_and(weights.isfinite()).all().item<bool>())
    throw Error(
        "{}: class_weights must be a row of one finite, non-negative number a class, found {} {}",
        loss, toString(weights.scalar_type()), shape_text(weights));
}

Tensor class_target(const Tensor& prediction, const Tensor& labels, const Tensor& class_weights) {
  const bool one_channel =
      labels.dim() >= 2 && labels.dim() == prediction.dim() && labels.size(1) == 1;
  Tensor target = one_channel ? labels.squeeze(1) : labels;
  if (!target.is_floating_point()) target = target.to(torch::kLong);
  bool fits = prediction.dim() >= 2 && prediction.dim() == target.dim() + 1 &&
              prediction.size(0) == target.size(0);
  for (int64_t d = 1; fits && d < target.dim(); ++d)
    fits = prediction.size(d + 1) == target.size(d);
  if (!fits)
    throw Error(
        "the prediction has shape {}, its target {}; expected class scores [N, C, ...] and class "
        "indices [N, ...]",
        shape_text(prediction), shape_text(labels));
  if (class_weights.defined() && class_weights.size(0) != prediction.size(1))
    throw Error("there are {} class weights, but the head has {} outputs", class_weights.size(0),
                prediction.size(1));
  check_classes(target, prediction.size(1));
  return target;
}

SampleLosses over_classes(const Tensor& losses, const Tensor& target, const Tensor& labelled,
                          const Tensor& class_weights) {
  if (!class_weights.defined()) return over_labelled(losses, labelled);
  const Tensor weights = beside(class_weights, losses)
                             .index_select(0, target.clamp_min(0).flatten())
                             .view(target.sizes())
                             .masked_fill(labelled.logical_not(), 0);
  const Tensor known = losses.masked_fill(weights.eq(0), 0);
  if (losses.dim() < 2) return {known, weights};
  const Tensor total = weights.flatten(1).sum(1);
  const auto entries = static_cast<double>(losses.numel()) / static_cast<double>(losses.size(0));
  return {(known * weights).flatten(1).sum(1) / total.masked_fill(total.eq(0), 1), total / entries};
}

}  // namespace mtl
