#include "mtl/combine/scalars.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mtl/core/error.hpp"
#include "new_node.hpp"

namespace mtl {
namespace {

using torch::autograd::variable_list;

/// One entry of the gradient for each scalar.
struct StackedNode : torch::autograd::Node {
  variable_list apply(variable_list&& outer) override {
    return outer.front().defined() ? outer.front().unbind(0) : variable_list(num_outputs());
  }
};

/// The whole gradient for each scalar.
struct SumNode : torch::autograd::Node {
  variable_list apply(variable_list&& outer) override {
    return variable_list(num_outputs(), outer.front());
  }
};

/// Scalars of one type in the processor's memory.
bool are_plain(const std::vector<Tensor>& scalars) {
  return std::all_of(scalars.begin(), scalars.end(), [&](const Tensor& scalar) {
    return scalar.defined() && scalar.dim() == 0 && scalar.is_cpu() && scalar.has_storage() &&
           !scalar.is_neg() && scalar.scalar_type() == scalars.front().scalar_type();
  });
}

/// [n], without graph.
Tensor plainly_stacked(const std::vector<Tensor>& scalars) {
  Tensor all = torch::empty({static_cast<int64_t>(scalars.size())},
                            torch::TensorOptions(scalars.front().scalar_type()));
  const size_t size = all.element_size();
  auto* to = static_cast<char*>(all.data_ptr());
  for (const Tensor& scalar : scalars) {
    std::memcpy(to, scalar.data_ptr(), size);
    to += size;
  }
  return all;
}

/// The same of any scalars, [] or of one element, with graph.
Tensor generally_stacked(std::vector<Tensor> scalars) {
  if (scalars.empty())
    throw Error("there is no loss to put together: no task has a label, and such a batch has none");
  for (Tensor& scalar : scalars)
    if (scalar.defined() && scalar.dim() != 0) scalar = scalar.reshape({});
  return torch::stack(scalars);
}

/// `value` as what `Node` makes of the scalars.
template <class Node>
Tensor with_node(Tensor value, const std::vector<Tensor>& scalars) {
  const auto learns = [](const Tensor& scalar) { return scalar.requires_grad(); };
  if (!torch::GradMode::is_enabled() || std::none_of(scalars.begin(), scalars.end(), learns))
    return value;
  NewNode<Node>(scalars).gives(value);
  return value;
}

}  // namespace

double number_of(const Tensor& scalar) {
  if (scalar.is_cpu() && scalar.has_storage() && !scalar.is_neg()) {
    if (scalar.scalar_type() == torch::kFloat) return *scalar.data_ptr<float>();
    if (scalar.scalar_type() == torch::kDouble) return *scalar.data_ptr<double>();
  }
  return scalar.item<double>();
}

Tensor stacked(const std::vector<Tensor>& scalars) {
  if (scalars.empty() || !are_plain(scalars)) return generally_stacked(scalars);
  return with_node<StackedNode>(plainly_stacked(scalars), scalars);
}

Tensor sum_of(const std::vector<Tensor>& scalars) {
  if (scalars.empty() || !are_plain(scalars)) return generally_stacked(scalars).sum();
  return with_node<SumNode>(plainly_stacked(scalars).sum(), scalars);
}

}  // namespace mtl
