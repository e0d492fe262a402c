#pragma once

#include <vector>

#include "graph.hpp"
#include "workspace.hpp"

namespace mtl::engine {

/// What one run over the graph leaves behind.
struct Captured {
  std::vector<std::vector<torch::Tensor>>
      column_rows;  // [column][task]; nothing for columns of a site
  std::vector<std::vector<torch::Tensor>> task_rows;  // [task parameter][task]
  std::vector<std::vector<torch::Tensor>>
      deltas;  // [site][use]: [T, N, out], undefined if nobody reaches it
};

/// One backward pass a task, no further than the plan's sites, rows and task parameters.
Captured capture(const Plan& plan, const std::vector<torch::Tensor>& losses,
                 const std::vector<torch::Tensor>& columns,
                 const std::vector<torch::Tensor>& task_parameters);

/// The same node by node, without autograd's engine, which costs a small net as much as its
/// products: each task's own part once, the shared part once for all tasks, their gradients
/// stacked. Nothing if a gradient turns out to have another shape than its place.
std::optional<Captured> replay(const Plan& plan, const std::vector<torch::Tensor>& losses,
                               Workspace& workspace);

}  // namespace mtl::engine
