#pragma once

#include <torch/optim/optimizer.h>

#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "mtl/sharing/model.hpp"

namespace mtl {

/// Optimizer groups with settings of their own for what the tasks share and for what belongs to one
/// of them, so that a pretrained encoder can learn slower than new heads:
///
///     torch::optim::AdamW adam(parameter_groups(*model, torch::optim::AdamWOptions(1e-4),
///                                               torch::optim::AdamWOptions(1e-3)));
///
/// Group 0 holds the shared parameters, group 1 the heads'. Frozen parameters (requires_grad is
/// false) are in neither: an optimizer would only decay them. Make the groups anew after
/// unfreezing.
template <class Options>
std::vector<torch::optim::OptimizerParamGroup> parameter_groups(Model& model, const Options& shared,
                                                                const Options& heads) {
  std::unordered_set<at::TensorImpl*> is_shared;
  for (const Tensor& parameter : model.shared_parameters())
    is_shared.insert(parameter.unsafeGetTensorImpl());
  std::vector<Tensor> in_shared, in_heads;
  for (const Tensor& parameter : model.parameters()) {
    if (!parameter.requires_grad()) continue;
    (is_shared.contains(parameter.unsafeGetTensorImpl()) ? in_shared : in_heads)
        .push_back(parameter);
  }

  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::move(in_shared), std::make_unique<Options>(shared));
  groups.emplace_back(std::move(in_heads), std::make_unique<Options>(heads));
  return groups;
}

}  // namespace mtl
