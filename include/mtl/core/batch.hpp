#pragma once

#include "mtl/core/tensor.hpp"

namespace mtl {

/// What one step sees. The first dimension of every tensor counts the samples.
///
/// A missing label is NaN in a real target, -100 in a target of class indices, or a target that is
/// not there.
struct Batch {
  NamedTensors inputs = NamedTensors();
  NamedTensors targets = NamedTensors();
  /// True where the source knows that no label of the present targets is missing: nobody needs to
  /// look again.
  bool complete = false;
};

/// The class index that stands for a missing label (torch's own default for cross-entropy).
inline constexpr int64_t missing_class = -100;

/// The batch with its tensors on `device`.
Batch to(const Batch& batch, torch::Device device);

/// Which rows of a target have a label: [N] bool. A row of several real values has one if any of
/// them is there.
Tensor is_labelled(const Tensor& target);

/// How many samples the batch holds.
int64_t size(const Batch& batch);

}  // namespace mtl
