#include "mtl/combine/scaled_losses.hpp"

#include <torch/autograd.h>

#include <cmath>
#include <utility>

#include "engine/capture.hpp"
#include "engine/leaves.hpp"
#include "mtl/core/error.hpp"
#include "new_node.hpp"

namespace mtl {
namespace {

Tensor in_float_at_least(const Tensor& tensor) {
  const auto type = tensor.scalar_type();
  return type == torch::kHalf || type == torch::kBFloat16 ? tensor.to(torch::kFloat) : tensor;
}

/// From what is handed on to the tensors of the graph below, whose gradients are scaled.
struct ScaledNode : torch::autograd::Node {
  std::vector<Tensor> own;     // by output
  std::vector<Tensor> inputs;  // by next edge
  double scale = 1;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& outer) override {
    std::vector<Tensor> from, along, wanted;
    std::vector<size_t> place;
    for (size_t t = 0; t < outer.size(); ++t) {
      if (!outer[t].defined()) continue;
      from.push_back(own[t]);
      along.push_back((outer[t] * scale).to(own[t].scalar_type()).reshape(own[t].sizes()));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!task_should_compute_output(i)) continue;
      wanted.push_back(inputs[i]);
      place.push_back(i);
    }
    torch::autograd::variable_list inner(inputs.size());
    if (from.empty() || wanted.empty()) return inner;
    const engine::WithoutHooks once(wanted);
    const auto found = torch::autograd::grad(from, wanted, along, /*retain_graph=*/true,
                                             /*create_graph=*/false, /*allow_unused=*/true);
    const torch::NoGradGuard no_grad;
    for (size_t i = 0; i < place.size(); ++i)
      if (found[i].defined()) inner[place[i]] = in_float_at_least(found[i]) * (1 / scale);
    return inner;
  }
};

/// Ties `values` to the graph of `own` behind `edges`, and reaches there for `inputs`.
void tie(std::vector<Tensor>& values, std::vector<Tensor> own, const std::vector<Tensor>& edges,
         std::vector<Tensor> inputs, double scale) {
  const NewNode<ScaledNode> node(edges);
  node->own = std::move(own);
  node->inputs = std::move(inputs);
  node->scale = scale;
  for (Tensor& value : values) node.gives(value);
}

}  // namespace

TaskLosses scaled_losses(const TaskLosses& losses, double scale) {
  if (!(scale > 0 && std::isfinite(scale)))
    throw Error("scaled_losses: found scale {}, expected a finite number above 0", scale);
  if (!torch::GradMode::is_enabled()) return losses;
  TaskLosses scaled = losses;
  const Tensor& border = losses.representation;
  const bool behind = border.defined() && border.requires_grad() && !border.is_leaf();
  if (behind) {
    std::vector<Tensor> rows{in_float_at_least(border.detach())};
    const std::vector<Tensor> reached = engine::leaves({border}, {});
    tie(rows, {border}, reached, reached, scale);
    scaled.representation = rows.front();
  }
  std::vector<Tensor> with_graph, values;
  std::vector<size_t> place;
  for (size_t i = 0; i < losses.values.size(); ++i) {
    if (!losses.values[i].defined() || !losses.values[i].requires_grad()) continue;
    with_graph.push_back(losses.values[i]);
    values.push_back(losses.values[i].detach());
    place.push_back(i);
  }
  if (!with_graph.empty()) {
    std::vector<Tensor> inputs = engine::leaves(with_graph, behind ? border : Tensor());
    std::vector<Tensor> edges = inputs;
    if (behind) {
      inputs.push_back(border);
      edges.push_back(scaled.representation);
    }
    tie(values, std::move(with_graph), edges, std::move(inputs), scale);
    for (size_t i = 0; i < place.size(); ++i) scaled.values[place[i]] = std::move(values[i]);
  }
  const auto again =
      [scale](const std::function<TaskLosses()>& look) -> std::function<TaskLosses()> {
    if (!look) return {};
    return [look, scale] { return scaled_losses(look(), scale); };
  };
  scaled.another_batch = again(losses.another_batch);
  scaled.same_batch = again(losses.same_batch);
  return scaled;
}

}  // namespace mtl
