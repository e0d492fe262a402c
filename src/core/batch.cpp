#include "mtl/core/batch.hpp"

#include <cmath>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// Error: a tensor does not have so many rows.
void check_rows(const NamedTensors& tensors, std::string_view kind, int64_t rows) {
  for (const auto& item : tensors)
    if (item.value().defined() && (item.value().dim() == 0 || item.value().size(0) != rows))
      throw Error("{} \"{}\" has shape {} in a batch of {} samples", kind, item.key(),
                  shape_text(item.value()), rows);
}

}  // namespace

Batch to(const Batch& batch, torch::Device device) {
  // Whether labels are missing is soon seen here; on a device each task would wait for the answer.
  bool complete = batch.complete;
  if (!complete && !device.is_cpu()) {
    complete = true;
    for (const auto& target : batch.targets)
      complete = complete && target.value().defined() && target.value().is_cpu() &&
                 labelled_entries(target.value()).all().item<bool>();
  }
  const auto moved = [device](const NamedTensors& tensors) {
    NamedTensors there;
    for (const auto& item : tensors)
      there.insert(item.key(), item.value().defined() ? item.value().to(device) : Tensor());
    return there;
  };
  return {moved(batch.inputs), moved(batch.targets), complete,
          batch.sample_weights.defined() ? batch.sample_weights.to(device) : Tensor(),
          moved(batch.task_sample_weights)};
}

Tensor labelled_entries(const Tensor& target) {
  if (target.is_floating_point()) return target.isnan().logical_not();
  // Compared with an unsigned type, -100 would be read as 156.
  if (!c10::isSignedType(target.scalar_type()))
    return torch::ones(target.sizes(), target.options().dtype(torch::kBool));
  return target.ne(missing_class);
}

Tensor is_labelled(const Tensor& target) {
  if (target.dim() == 0)
    throw Error("a target needs a first dimension that counts the samples, found a scalar");
  const Tensor labelled = labelled_entries(target);
  return labelled.dim() == 1 ? labelled : labelled.flatten(1).any(1);
}

int64_t size(const Batch& batch) {
  if (!batch.inputs.is_empty()) return batch.inputs.front().value().size(0);
  return batch.targets.is_empty() ? 0 : batch.targets.front().value().size(0);
}

Batch batch_rows(const Batch& batch, const Tensor& rows) {
  const auto picked = [&rows](const Tensor& tensor) {
    return tensor.defined() ? tensor.index_select(0, rows) : Tensor();
  };
  const auto all_picked = [&picked](const NamedTensors& tensors) {
    NamedTensors part;
    for (const auto& item : tensors) part.insert(item.key(), picked(item.value()));
    return part;
  };
  return {all_picked(batch.inputs), all_picked(batch.targets), batch.complete,
          picked(batch.sample_weights), all_picked(batch.task_sample_weights)};
}

Batch without_left_out_rows(Batch batch) {
  if (!batch.sample_weights.defined()) return batch;
  check_sample_weights(batch.sample_weights, size(batch));
  const Tensor rows = batch.sample_weights.nonzero().squeeze(1);
  if (rows.size(0) == 0 || rows.size(0) == size(batch)) return batch;
  check_rows(batch.inputs, "input", size(batch));
  check_rows(batch.targets, "target", size(batch));
  check_rows(batch.task_sample_weights, "sample weights", size(batch));
  return batch_rows(batch, rows);
}

Tensor sample_weights_of(const Batch& batch, const std::string& task) {
  const Tensor* own = batch.task_sample_weights.find(task);
  if (own == nullptr || !own->defined()) return batch.sample_weights;
  if (!batch.sample_weights.defined()) return *own;
  // Each for itself: two negative ones would make a positive one.
  check_sample_weights(batch.sample_weights, batch.sample_weights.numel());
  check_sample_weights(*own, batch.sample_weights.numel());
  // A product of bytes ends at 255, one of small floats at 0.
  return batch.sample_weights.to(torch::kDouble) * own->to(torch::kDouble);
}

void check_sample_weights(const Tensor& weights, int64_t samples) {
  if (!weights.defined() || weights.dim() != 1 || weights.size(0) != samples)
    throw Error("the sample weights have shape {}, expected one a sample, [{}]",
                shape_text(weights), samples);
  const Tensor wrong = (weights.ge(0).logical_and(weights.isfinite())).logical_not();
  if (!wrong.any().item<bool>()) return;
  const auto row = wrong.nonzero()[0].item<int64_t>();
  throw Error(
      "the sample weight in row {} is {}, expected a finite number of at least 0 (0 leaves the "
      "sample out)",
      row, weights[row].item<double>());
}

void check_sample_weights(const Tensor& weights, const NamedTensors& by_task, int64_t samples) {
  if (weights.defined()) check_sample_weights(weights, samples);
  for (const auto& item : by_task) {
    try {
      check_sample_weights(item.value(), samples);
    } catch (const Error& error) {
      throw Error("task \"{}\": {}", item.key(), error.what());
    }
  }
}

}  // namespace mtl
