#pragma once

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/engine/rows.hpp"

namespace mtl {

/// The gradient of each loss by T plain backward passes, which keep the graph. Error naming the
/// task whose gradient is not finite.
Rows task_gradients(const TaskLosses& losses, const std::vector<Tensor>& parameters);

/// d combined / d loss_t [T], for a value made of the losses; keeps the graph.
Eigen::VectorXd loss_weights(const Tensor& combined, const std::vector<Tensor>& losses);

}  // namespace mtl
