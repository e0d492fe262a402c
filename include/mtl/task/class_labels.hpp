#pragma once

#include <string_view>

#include "mtl/task/labels.hpp"

namespace mtl {

// What losses of class labels share.

/// Error: class weights that are not one finite, non-negative number a class; undefined ones are
/// all one. `loss` is whose they are.
void check_class_weights(std::string_view loss, const Tensor& weights);

/// The target of a prediction [N, C, ...] as [N, ...] in torch::kLong: a dimension 1 of length 1,
/// as columns of a table and maps of one channel have, is dropped. It comes in any integer type.
/// Error: other shapes, a class outside 0..C-1, class weights of another number than C.
Tensor class_target(const Tensor& prediction, const Tensor& target,
                    const Tensor& class_weights = Tensor());

/// One value and one weight a sample out of losses [N, ...] of one class label each, whose weight
/// is that of its class: over_labelled() where there are no class weights.
SampleLosses over_classes(const Tensor& losses, const Tensor& target, const Tensor& labelled,
                          const Tensor& class_weights);

}  // namespace mtl
