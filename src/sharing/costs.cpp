#include "mtl/sharing/costs.hpp"

#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/nn/keep_modes.hpp"

namespace mtl {
namespace {

using Node = torch::autograd::Node;
using Shape = std::vector<int64_t>;

// An autograd node knows the shapes of what its operation gave, and through its edges those of what
// it took, as far as they lead to a parameter or an input; here all do.
Shape shape_of(const Node& node, size_t output) {
  return node.input_metadata(output).zeros_like().sizes().vec();
}

/// Empty where the operand needs no gradient.
Shape operand(const Node& node, size_t index) {
  const auto& edge = node.next_edge(index);
  return edge.is_valid() ? shape_of(*edge.function, edge.input_nr) : Shape{};
}

int64_t size_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// The length over which a matrix product sums; its operands are those of edges `left` and the
/// next, with `dims` dimensions.
int64_t inner_length(const Node& node, size_t left, size_t dims) {
  const Shape a = operand(node, left), b = operand(node, left + 1);
  if (a.size() == dims) return a.back();
  return b.size() < 2 ? size_of(b) : b[b.size() - 2];
}

int64_t convolution(const Node& node) {
  const Shape input = operand(node, 0), weight = operand(node, 1), output = shape_of(node, 0);
  if (weight.empty() || weight[0] == 0) return 0;
  const int64_t each = size_of(weight) / weight[0];
  // The weight is [out, in / groups, ...], of a transposed convolution [in, out / groups, ...];
  // with as many channels in as out, the transposed one is the one that gives more than it takes.
  const bool takes_as_many = input.size() > 1 && weight[0] == input[1];
  const bool gives_as_many = weight[0] == output[1];
  const bool transposed = takes_as_many && (!gives_as_many || size_of(output) > size_of(input));
  return each * size_of(transposed ? input : output);
}

/// An LSTM layer, torch's or ours: two matrices, each applied once to each row of the output.
int64_t recurrent_layer(const Node& node) {
  const Shape output = shape_of(node, 0);
  int64_t weights = 0;
  for (size_t k = 1; k < std::min<size_t>(node.num_outputs(), 3); ++k)
    if (const Shape weight = operand(node, k); weight.size() == 2) weights += size_of(weight);
  return output.empty() || output.back() == 0 ? 0 : weights * (size_of(output) / output.back());
}

/// The products that the node's operation takes.
int64_t multiply_adds_of(const Node& node) {
  const std::string name = node.name();
  const auto product = [&](size_t left, size_t dims) {
    return size_of(shape_of(node, 0)) * inner_length(node, left, dims);
  };
  if (name == "AddmmBackward0") return product(1, 2);
  if (name == "MmBackward0") return product(0, 2);
  if (name == "BmmBackward0") return product(0, 3);
  if (name == "BaddbmmBackward0") return product(1, 3);
  if (name == "MvBackward0") return product(0, 2);
  if (name == "AddmvBackward0") return product(1, 2);
  if (name == "DotBackward0") return product(0, 1);
  if (name == "ConvolutionBackward0") return convolution(node);
  if (name == "MkldnnRnnLayerBackward0" || name.find("LstmLayer") != std::string::npos)
    return recurrent_layer(node);
  return 0;
}

/// Evaluation mode with gradients for every parameter; puts back what was there.
class AllInGraph {
 public:
  explicit AllInGraph(Model& model) : modes_(model), parameters_(model.parameters()) {
    for (const Tensor& parameter : parameters_) required_.push_back(parameter.requires_grad());
    model.eval();
    for (const Tensor& parameter : parameters_)
      if (can_learn(parameter)) parameter.set_requires_grad(true);
  }
  ~AllInGraph() {
    for (size_t p = 0; p < parameters_.size(); ++p)
      if (can_learn(parameters_[p])) parameters_[p].set_requires_grad(required_[p]);
  }
  AllInGraph(const AllInGraph&) = delete;
  AllInGraph& operator=(const AllInGraph&) = delete;

 private:
  static bool can_learn(const Tensor& parameter) {
    return parameter.is_floating_point() || parameter.is_complex();
  }

  nn::KeepModes modes_;
  std::vector<Tensor> parameters_;
  std::vector<bool> required_;
};

/// What a prediction depends on.
struct Needs {
  std::unordered_set<const Node*> nodes;
  std::unordered_set<const at::TensorImpl*> parameters;
};

Needs needs_of(const Tensor& prediction) {
  Needs needs;
  std::vector<const Node*> open;
  const auto visit = [&](const Node* node) {
    if (node != nullptr && needs.nodes.insert(node).second) open.push_back(node);
  };
  visit(prediction.requires_grad() ? prediction.grad_fn().get() : nullptr);
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (const auto* leaf = dynamic_cast<const torch::autograd::AccumulateGrad*>(node))
      needs.parameters.insert(leaf->variable.unsafeGetTensorImpl());
    for (const auto& edge : node->next_edges()) visit(edge.function.get());
  }
  return needs;
}

}  // namespace

const Costs::OfTask& Costs::at(std::string_view task) const {
  for (const OfTask& entry : tasks)
    if (entry.name == task) return entry;
  std::string names;
  for (const OfTask& entry : tasks) names += (names.empty() ? "" : ", ") + entry.name;
  throw Error("costs: no task \"{}\"; there are: {}", task, names);
}

Costs costs(ModelRef model, const NamedTensors& inputs) {
  // What is counted stands in the graph, and there is none of what is made in inference mode.
  const auto parameters_of = model->parameters();
  if (c10::InferenceMode::is_enabled() ||
      std::any_of(parameters_of.begin(), parameters_of.end(),
                  [](const Tensor& parameter) { return parameter.is_inference(); }))
    throw Error(
        "costs: nothing can be counted in inference mode; call it, and make the model, outside");
  const KeepGenerator keep;
  const AllInGraph all(*model);
  const torch::AutoGradMode with_graph(true);
  NamedTensors leaves;
  for (const auto& item : inputs) {
    Tensor leaf = item.value().detach();
    if (leaf.is_floating_point()) leaf.set_requires_grad(true);
    leaves.insert(item.key(), leaf);
  }
  const NamedTensors predictions = model->forward(leaves);

  std::vector<Needs> needs;
  std::unordered_map<const at::TensorImpl*, int> tasks_with;
  std::unordered_map<const Node*, int> tasks_through;
  for (const Task& task : model->tasks()) {
    needs.push_back(needs_of(predictions[task.name]));
    for (const auto* parameter : needs.back().parameters) ++tasks_with[parameter];
    for (const Node* node : needs.back().nodes) ++tasks_through[node];
  }

  Costs total{};
  const std::vector<Tensor> parameters = model->parameters();
  for (const Tensor& parameter : parameters) total.parameters += parameter.numel();
  std::unordered_map<const Node*, int64_t> products;
  for (const auto& [node, tasks] : tasks_through)
    total.multiply_adds += products[node] = multiply_adds_of(*node);
  for (size_t t = 0; t < needs.size(); ++t) {
    Costs::OfTask of{model->tasks()[static_cast<int64_t>(t)].name, 0, 0, 0, 0};
    for (const Tensor& parameter : parameters) {
      const auto* key = parameter.unsafeGetTensorImpl();
      if (!needs[t].parameters.contains(key)) continue;
      of.parameters += parameter.numel();
      if (tasks_with[key] == 1) of.own_parameters += parameter.numel();
    }
    for (const Node* node : needs[t].nodes) {
      of.multiply_adds += products[node];
      if (tasks_through[node] == 1) of.own_multiply_adds += products[node];
    }
    total.tasks.push_back(std::move(of));
  }
  return total;
}

}  // namespace mtl
