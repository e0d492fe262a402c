#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/batch.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

/// What stands for a missing label in a target like this one: NaN or -100. Error, in the name of
/// the target `name`: its type knows none.
inline torch::Scalar missing_label(const Tensor& target, std::string_view name) {
  if (target.is_floating_point()) return std::numeric_limits<double>::quiet_NaN();
  if (!c10::isSignedType(target.scalar_type()))
    throw Error("target \"{}\" has type {}, which knows no missing label; give it as int64", name,
                toString(target.scalar_type()));
  return missing_class;
}

/// A type for all of the targets: torch's, but for whole numbers beside halves, whose range they
/// leave.
inline torch::ScalarType common_type(const std::vector<Tensor>& targets) {
  torch::ScalarType type = targets.front().scalar_type();
  bool whole = false;
  for (const Tensor& target : targets) {
    type = c10::promoteTypes(type, target.scalar_type());
    whole = whole || (!target.is_floating_point() && target.element_size() > 1);
  }
  return whole && (type == torch::kHalf || type == torch::kBFloat16) ? torch::kFloat : type;
}

/// `target` in another type, in which a missing label (-100) is still one (NaN).
inline Tensor with_type(const Tensor& target, torch::ScalarType type) {
  if (target.scalar_type() == type) return target;
  const Tensor changed = target.to(type);
  if (!c10::isFloatingType(type) || target.is_floating_point()) return changed;
  return changed.masked_fill(labelled_entries(target).logical_not(),
                             std::numeric_limits<double>::quiet_NaN());
}

/// Targets of several types, all in one.
inline std::vector<Tensor> with_common_type(std::vector<Tensor> targets) {
  const torch::ScalarType type = common_type(targets);
  for (Tensor& target : targets) target = with_type(target, type);
  return targets;
}

/// The smallest shape that holds each of the tensors. Error: they have other numbers of dimensions.
inline std::vector<int64_t> covering_shape(const std::vector<Tensor>& tensors,
                                           std::string_view name) {
  std::vector<int64_t> shape = tensors.front().sizes().vec();
  for (const Tensor& tensor : tensors) {
    if (tensor.dim() != tensors.front().dim())
      throw Error(
          "\"{}\": shapes {} and {} cannot be padded to one, their numbers of dimensions "
          "differ",
          name, shape_text(tensors.front()), shape_text(tensor));
    for (size_t d = 0; d < shape.size(); ++d)
      shape[d] = std::max(shape[d], tensor.size(static_cast<int64_t>(d)));
  }
  return shape;
}

/// `tensor` filled up with `fill` at the end of every dimension that `shape` has longer.
inline Tensor padded(const Tensor& tensor, const std::vector<int64_t>& shape, torch::Scalar fill) {
  if (tensor.sizes() == torch::IntArrayRef(shape)) return tensor;
  const Tensor whole = torch::full(shape, fill, tensor.options());
  Tensor part = whole;
  for (int64_t d = 0; d < tensor.dim(); ++d) part = part.narrow(d, 0, tensor.size(d));
  part.copy_(tensor);
  return whole;
}

/// What ragged rows are filled up with.
enum class Fill { zero, missing_label };

/// Rows of several batches as one tensor; where batches are longer than others in a further
/// dimension (ragged samples), those are filled up. Where targets (Fill::missing_label) come in
/// several types, missing labels stay so.
inline Tensor joined_rows(std::vector<Tensor> batches, Fill fill, std::string_view name) {
  if (fill == Fill::missing_label) batches = with_common_type(std::move(batches));
  const auto same = [&](const Tensor& batch) {
    return batch.sizes().slice(1) == batches.front().sizes().slice(1);
  };
  if (std::all_of(batches.begin(), batches.end(), same)) return torch::cat(batches);
  const torch::Scalar with =
      fill == Fill::zero ? torch::Scalar(0) : missing_label(batches.front(), name);
  std::vector<int64_t> shape = covering_shape(batches, name);
  for (Tensor& batch : batches) {
    shape.front() = batch.size(0);
    batch = padded(batch, shape, with);
  }
  return torch::cat(batches);
}

}  // namespace mtl
