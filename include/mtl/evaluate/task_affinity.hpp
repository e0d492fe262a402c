#pragma once

#include <Eigen/Core>

#include "mtl/core/batch.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl::evaluate {

/// Whose learning helps whom, by looking ahead: what a step on task i alone does to the loss of
/// task j on the same batch,
///     Z_ij = (L_j(shared) - L_j(shared - learning_rate * grad L_i)) / |L_j(shared)|,
/// positive where it falls, also below zero. [T, T] over the model's tasks; NaN in the row and
/// column of a task that has no label in the batch or no loss left. The mean over many batches
/// while the joint model is trained tells which tasks belong together (task_groups). TAG: Fifty et
/// al., NeurIPS 2021 (arXiv 2109.04617).
///
/// Takes T backward and T + 1 forward passes in the model's mode, all with the same random numbers.
/// Weights, gradients, buffers and generators are afterwards what they were.
/// Error: a learning rate that is not positive; a loss or gradient that is NaN or infinite.
Eigen::MatrixXd task_affinity(ModelRef model, const Batch& batch, double learning_rate);

}  // namespace mtl::evaluate
