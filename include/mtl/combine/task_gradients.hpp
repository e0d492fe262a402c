#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "mtl/combine/engine/rows.hpp"
#include "mtl/combine/task_losses.hpp"

namespace mtl {

/// The gradient of each loss by T plain backward passes, which keep the graph; undefined where a
/// loss has no graph or a parameter requires no gradient.
Rows unchecked_task_gradients(const TaskLosses& losses, const std::vector<Tensor>& parameters);

/// The same. FaultyStep: a gradient is not finite; the text names the task.
Rows task_gradients(const TaskLosses& losses, const std::vector<Tensor>& parameters);

/// d combined / d loss_t [T], for a value made of the losses; keeps the graph. 0 for a loss without
/// graph.
Eigen::VectorXd loss_weights(const Tensor& combined, const std::vector<Tensor>& losses);

/// FaultyStep: an entry that is NaN or infinite; the text names its task. `lengths` [T] are of the
/// task gradients, or their squares, which one bad element spoils.
void require_finite(const Eigen::VectorXd& lengths, const std::vector<std::string>& names);

}  // namespace mtl
