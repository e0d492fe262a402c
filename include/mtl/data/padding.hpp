#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
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
/// dimension (ragged samples), those are filled up.
inline Tensor joined_rows(std::vector<Tensor> batches, Fill fill, std::string_view name) {
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
