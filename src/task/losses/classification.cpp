#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "mtl/task/losses/binary_cross_entropy.hpp"
#include "mtl/task/losses/cross_entropy.hpp"
#include "mtl/task/losses/focal.hpp"

namespace mtl {
namespace {

void check_class_weights(std::string_view loss, const Tensor& weights) {
  if (!weights.defined()) return;
  if (weights.dim() != 1 || !weights.is_floating_point() || !weights.ge(0).all().item<bool>()) {
    throw Error("{}: class_weights must be a row of one non-negative number a class, found {} {}",
                loss, toString(weights.scalar_type()), shape_text(weights));
  }
}

/// Checks prediction [N, C, ...] against target [N, ...] and weights [C].
void check_class_shapes(const Tensor& prediction, const Tensor& target, const Tensor& weights) {
  bool fits = prediction.dim() >= 2 && prediction.dim() == target.dim() + 1 &&
              prediction.size(0) == target.size(0);
  for (int64_t d = 1; fits && d < target.dim(); ++d)
    fits = prediction.size(d + 1) == target.size(d);
  if (!fits) {
    throw Error(
        "the prediction has shape {}, its target {}; expected class scores [N, C, ...] and class "
        "indices [N, ...]",
        shape_text(prediction), shape_text(target));
  }
  if (weights.defined() && weights.size(0) != prediction.size(1)) {
    throw Error("there are {} class weights, but the head has {} outputs", weights.size(0),
                prediction.size(1));
  }
  check_classes(target, prediction.size(1));
}

/// Targets of one class a sample may be [N, 1], as columns of a table are.
Tensor class_target(const Tensor& prediction, const Tensor& target) {
  return prediction.dim() == 2 && target.dim() == 2 && target.size(1) == 1 ? target.squeeze(1)
                                                                           : target;
}

/// Value and weight a sample out of losses [N, ...] of one class label each, weighted by class.
SampleLosses over_classes(const Tensor& losses, const Tensor& target, const Tensor& labelled,
                          const Tensor& class_weights) {
  if (!class_weights.defined()) return over_labelled(losses, labelled);
  const Tensor weights = class_weights.to(losses.options())
                             .index_select(0, target.clamp_min(0).flatten())
                             .view(target.sizes())
                             .masked_fill(labelled.logical_not(), 0);
  const Tensor known = losses.masked_fill(weights.eq(0), 0);
  if (losses.dim() < 2) return {known, weights};
  const Tensor total = weights.flatten(1).sum(1);
  const auto entries = static_cast<double>(losses.numel()) / static_cast<double>(losses.size(0));
  return {(known * weights).flatten(1).sum(1) / total.masked_fill(total.eq(0), 1), total / entries};
}

}  // namespace

void CrossEntropy::check() const {
  check_class_weights("CrossEntropy", class_weights);
  if (!(label_smoothing >= 0 && label_smoothing < 1)) {
    throw Error("CrossEntropy: label_smoothing is {}, expected a number in [0, 1)",
                label_smoothing);
  }
}

SampleLosses CrossEntropy::operator()(const Tensor& prediction, const Tensor& labels) const {
  const Tensor target = class_target(prediction, labels);
  check_class_shapes(prediction, target, class_weights);
  const Tensor labelled = labelled_entries(target);
  const Tensor missing = labelled.logical_not();
  const Tensor log_probability = prediction.masked_fill(missing.unsqueeze(1), 0).log_softmax(1);
  const Tensor index = target.clamp_min(0).unsqueeze(1);
  Tensor losses = -log_probability.gather(1, index).squeeze(1);
  if (label_smoothing > 0) {
    // LibTorch weighs the smoothed classes too and divides by the weight of the label in the end.
    Tensor spread = -log_probability.mean(1);
    if (class_weights.defined()) {
      const Tensor weights = class_weights.to(prediction.options());
      const Tensor own = weights.index_select(0, index.flatten()).view(target.sizes());
      spread = -log_probability.movedim(1, -1).matmul(weights) /
               static_cast<double>(prediction.size(1)) / own.masked_fill(own.eq(0), 1);
    }
    losses = (1 - label_smoothing) * losses + label_smoothing * spread;
  }
  return over_classes(losses, target, labelled, class_weights);
}

Tensor CrossEntropy::mean(const Tensor& prediction, const Tensor& labels) const {
  const Tensor target = class_target(prediction, labels);
  check_class_shapes(prediction, target, class_weights);
  if (!class_weights.defined()) {
    return torch::cross_entropy_loss(prediction, target, {}, at::Reduction::Mean, missing_class,
                                     label_smoothing);
  }
  if (label_smoothing > 0) {
    const auto [values, sample_weights] = (*this)(prediction, target);
    return torch::dot(values, sample_weights) / sample_weights.sum().clamp_min(1e-30);
  }
  const Tensor weights = class_weights.to(prediction.options());
  const Tensor sum =
      torch::cross_entropy_loss(prediction, target, weights, at::Reduction::Sum, missing_class);
  // A batch of left-out classes only costs 0 instead of 0 / 0.
  return sum / weights.index_select(0, target.flatten()).sum().clamp_min(1e-30);
}

void BinaryCrossEntropy::check() const {
  if (pos_weight.defined() && !pos_weight.ge(0).all().item<bool>()) {
    throw Error("BinaryCrossEntropy: pos_weight must not be negative");
  }
}

SampleLosses BinaryCrossEntropy::operator()(const Tensor& prediction, const Tensor& target) const {
  check_scores(target);
  return elementwise(prediction, target, [this](const Tensor& y, const Tensor& t) {
    const Tensor weight = pos_weight.defined() ? pos_weight.to(y.options()) : pos_weight;
    return torch::binary_cross_entropy_with_logits(y, t, {}, weight, at::Reduction::None);
  });
}

Tensor BinaryCrossEntropy::mean(const Tensor& prediction, const Tensor& target) const {
  check_scores(target);
  const Tensor weight = pos_weight.defined() ? pos_weight.to(prediction.options()) : pos_weight;
  return torch::binary_cross_entropy_with_logits(prediction, match_target(prediction, target), {},
                                                 weight);
}

void Focal::check() const {
  check_class_weights("Focal", class_weights);
  if (!(gamma >= 0)) throw Error("Focal: gamma is {}, expected at least 0", gamma);
}

SampleLosses Focal::operator()(const Tensor& prediction, const Tensor& labels) const {
  const Tensor target = class_target(prediction, labels);
  check_class_shapes(prediction, target, class_weights);
  const Tensor labelled = labelled_entries(target);
  const Tensor log_probability = prediction.masked_fill(labelled.logical_not().unsqueeze(1), 0)
                                     .log_softmax(1)
                                     .gather(1, target.clamp_min(0).unsqueeze(1))
                                     .squeeze(1);
  // 1 - p by expm1, and kept off 0, where a power below 1 has no finite slope.
  const Tensor doubt = (-log_probability.expm1()).clamp_min(1e-12);
  return over_classes(-doubt.pow(gamma) * log_probability, target, labelled, class_weights);
}

}  // namespace mtl
