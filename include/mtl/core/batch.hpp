#pragma once

#include <cstdint>
#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// What one step sees. The first dimension of every tensor counts the samples.
///
/// A missing label is NaN in a real target, -100 in a target of class indices, or a target that is
/// not there. A sample of weight 0 is left out: of losses, metrics and counts; one of weight 2
/// counts as two.
struct Batch {
  NamedTensors inputs = NamedTensors();
  NamedTensors targets = NamedTensors();
  /// True where the source knows that no label of the present targets is missing: nobody needs to
  /// look again.
  bool complete = false;
  /// [N], >= 0, for all tasks; undefined: all one.
  Tensor sample_weights = Tensor();
  /// By the name of a task: [N], >= 0, multiplied with those for all tasks.
  NamedTensors task_sample_weights = NamedTensors();
};

/// The class index that stands for a missing label (torch's own default for cross-entropy).
inline constexpr int64_t missing_class = -100;

/// The batch with its tensors on `device`.
Batch to(const Batch& batch, torch::Device device);

/// Marks the labelled entries of a target, bool in the target's shape: a real entry is missing when
/// it is NaN, a class or integer score when it is -100. Types that cannot hold -100 (uint8, bool)
/// have no missing labels.
Tensor labelled_entries(const Tensor& target);

/// Which rows of a target have a label: [N] bool. A row of several real values has one if any of
/// them is there.
Tensor is_labelled(const Tensor& target);

/// How many samples the batch holds.
int64_t size(const Batch& batch);

/// The rows of the batch that int64 `rows` [n] names.
Batch batch_rows(const Batch& batch, const Tensor& rows);

/// The batch without the rows whose weight for all tasks is 0, so that no model sees them: neither
/// what its layers count by batch nor a NaN of theirs reaches the others. A batch that has no other
/// rows stays as it is. Error: sample weights that are none, tensors of other numbers of rows.
Batch without_left_out_rows(Batch batch);

/// The weights of a task's samples, [N]: those for all tasks times the task's own. Undefined: all
/// one. Error: the two differ in shape, or one of them is no weights (check_sample_weights).
Tensor sample_weights_of(const Batch& batch, const std::string& task);

/// Error, with the first row at fault: sample weights that are not [samples], of finite numbers of
/// at least 0.
void check_sample_weights(const Tensor& weights, int64_t samples);
/// The same of weights for all tasks (undefined: none) and by task, whose name the error gives.
void check_sample_weights(const Tensor& weights, const NamedTensors& by_task, int64_t samples);

}  // namespace mtl
