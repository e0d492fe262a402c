#include "mtl/task/loss.hpp"

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "rows.hpp"

namespace mtl {
namespace {

/// As precise as the loss, as a float at least: sums of many weights do not fit a half.
Tensor as_weights(const Tensor& weights, const Tensor& values) {
  return weights.to(
      values.options().dtype(at::promote_types(values.scalar_type(), c10::ScalarType::Float)));
}

/// A power of two beside which weights above 0 fit the type of the loss, as 1e-50 does not fit a
/// float. Undefined: they do as they are.
Tensor unit_of(const Tensor& weights, const Tensor& values) {
  if (weights.scalar_type() != torch::kDouble || values.scalar_type() == torch::kDouble) return {};
  return weights.max().log2().floor().exp2();
}

/// Where every weight is zero (a class of weight 0 only) the batch teaches nothing: 0, not 0 / 0.
LossValue weighted_mean(const Tensor& values, const Tensor& weights, int64_t samples,
                        const Tensor& unit) {
  const Tensor total = weights.sum();
  return {(values * weights).sum() / total.masked_fill(total.eq(0), 1), samples,
          unit.defined() ? total * unit : total};
}

/// The weight that all samples have; Error where they differ.
Tensor common_weight(const Tensor& weights) {
  const Tensor low = weights.min();
  if (!low.equal(weights.max()))
    throw Error(
        "the loss gives one number for {} samples whose sample weights differ, so that they cannot "
        "be applied. Let it give one value a sample, [{}] (torch's own losses: reduction "
        "torch::kNone)",
        weights.numel(), weights.numel());
  return low;
}

}  // namespace

LossValue Loss::operator()(const Tensor& prediction, const Tensor& target, bool complete,
                           const Tensor& sample_weights) const {
  if (!by_sample_) throw Error("there is no loss; give one, e.g. MeanSquaredError{{}}");
  if (!trains_) return {};
  if (prediction.dim() == 0 || target.dim() == 0 || prediction.size(0) != target.size(0))
    throw Error(
        "prediction {} and target {} do not count the same samples in their first dimension",
        shape_text(prediction), shape_text(target));
  if (!prediction.is_floating_point())
    throw Error("the prediction {} has type {}, expected a floating point type",
                shape_text(prediction), toString(prediction.scalar_type()));
  // A loss that knows its own missing labels may find some where the data set saw none.
  if (is_labelled_) complete = false;
  const auto [answered, labels, weights, rows] = task_detail::rows_that_count(
      prediction, target, sample_weights, complete ? Tensor() : is_labelled(target));
  const int64_t samples = labels.size(0);
  if (samples == 0) return {};
  // Rows of several entries may be labelled in part.
  const bool whole = complete || labels.numel() == samples;
  SampleLosses losses;
  try {
    if (whole && mean_ && !weights.defined()) {
      auto [value, weight] = mean_(answered, labels);
      return {std::move(value), samples, std::move(weight)};
    }
    losses = by_sample_(answered, labels);
  } catch (const RowError& error) {
    throw error.in_whole(rows);
  }
  const auto& [values, own] = losses;
  const bool one_number = values.defined() && values.dim() == 0;
  if (!values.defined() || (!one_number && (values.dim() != 1 || values.size(0) != samples)) ||
      (own.defined() && own.sizes() != values.sizes()))
    throw Error(
        "the loss gave shape {}{} for {} samples; it must give one value a sample, [{}], or their "
        "mean as one number, []",
        shape_text(values), own.defined() ? " with weights " + shape_text(own) : "", samples,
        samples);
  if (!values.is_floating_point())
    throw Error("the loss gave values of type {}, expected a floating point type",
                toString(values.scalar_type()));
  if (one_number) {
    if (!weights.defined()) return {values, samples, own};
    const Tensor weight = common_weight(weights).to(values.device(), torch::kDouble);
    return {values, samples, own.defined() ? own * weight : weight * samples};
  }
  if (!own.defined() && !weights.defined()) return {values.mean(), samples};
  if (!weights.defined()) return weighted_mean(values, as_weights(own, values), samples, {});
  const Tensor unit = unit_of(weights, values);
  Tensor all = as_weights(unit.defined() ? weights / unit : weights, values);
  if (own.defined()) all = as_weights(own, values) * all;
  return weighted_mean(values, all, samples, unit);
}

}  // namespace mtl
