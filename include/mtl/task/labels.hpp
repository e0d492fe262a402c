#pragma once

#include "mtl/task/loss.hpp"

namespace mtl {

/// Marks the labelled entries of a target, bool in the target's shape: a real entry is missing when
/// it is NaN, a class or integer score when it is -100.
Tensor labelled_entries(const Tensor& target);

/// The target in the prediction's shape, dtype and device. [N] and [N, 1] mean the same, so that a
/// head with one output never broadcasts against its target to [N, N].
/// Error: the shapes differ otherwise.
Tensor match_target(const Tensor& prediction, const Tensor& target);

/// One value and one weight a sample out of element-wise losses [N, ...]: the mean over the
/// labelled entries of the sample, weighted with the share of its entries that is labelled, so that
/// the weighted mean over a batch is the mean over all its labelled entries.
/// A sample without any label has value 0 and weight 0, and its gradient is exactly 0.
SampleLosses over_labelled(const Tensor& losses, const Tensor& labelled);

/// Applies an element-wise loss where there is a label. Both arguments are 0 elsewhere, so that no
/// NaN of a missing label or of its prediction reaches a gradient.
template <class ElementLoss>
SampleLosses elementwise(const Tensor& prediction, const Tensor& target, ElementLoss loss) {
  const Tensor truth = match_target(prediction, target);
  const Tensor labelled = labelled_entries(target).view(truth.sizes());
  const Tensor missing = labelled.logical_not();
  return over_labelled(loss(prediction.masked_fill(missing, 0), truth.masked_fill(missing, 0)),
                       labelled);
}

/// Throws an Error that names row and class when a class lies outside [0, classes) and is not
/// `missing`. On CPU only: elsewhere the check would wait for the device, and LibTorch's kernel
/// asserts by itself.
void check_classes(const Tensor& target, int64_t classes);

/// Throws an Error that names row and score when a score lies outside [0, 1]; NaN and -100 are
/// missing labels. On CPU only, as above.
void check_scores(const Tensor& target);

}  // namespace mtl
