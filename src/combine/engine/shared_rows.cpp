#include "shared_rows.hpp"

#include <torch/csrc/autograd/anomaly_mode.h>

#include <algorithm>

namespace mtl::engine {

LateGradientsOf::LateGradientsOf(const std::vector<torch::Tensor>& losses) {
  // Which looks at every gradient at once.
  if (torch::autograd::AnomalyMode::is_enabled()) return;
  for (const auto& loss : losses) {
    // Of a loss that is made of such, gradients from several sides may be added up on the way.
    auto* node = dynamic_cast<LateGradients*>(loss.grad_fn().get());
    if (node == nullptr || std::find(nodes_.begin(), nodes_.end(), node) != nodes_.end()) continue;
    nodes_.push_back(node);
    node->defer();
  }
}

LateGradientsOf::~LateGradientsOf() {
  for (LateGradients* node : nodes_) node->forget();
}

void LateGradientsOf::arrive() {
  for (LateGradients* node : nodes_) node->arrive();
}

}  // namespace mtl::engine
