// The only file that reads what LibTorch's generated autograd nodes have saved.
#include "nodes.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include <typeindex>
#include <unordered_map>

#include "mtl/core/torch_version.hpp"

namespace mtl::engine {
namespace {

using torch::Tensor;
namespace generated = torch::autograd::generated;

#if MTL_TORCH_2
auto owning(Node& node) { return node.getptr(); }
#else
auto owning(Node& node) { return node.shared_from_this(); }
#endif

}  // namespace

Operation operation_of(const Node& node) {
  // Element by element: these nodes broadcast a gradient [T, N, ...] over what they saved, [N,
  // ...].
  static const std::unordered_map<std::type_index, Operation> known = {
      {typeid(generated::AddmmBackward0), Operation::addmm},
      {typeid(generated::MmBackward0), Operation::mm},
      {typeid(generated::TBackward0), Operation::transpose},
      {typeid(generated::ReluBackward0), Operation::relu},
      {typeid(generated::LeakyReluBackward0), Operation::elementwise},
      {typeid(generated::EluBackward0), Operation::elementwise},
      {typeid(generated::SiluBackward0), Operation::elementwise},
      {typeid(generated::SoftplusBackward0), Operation::elementwise},
      {typeid(generated::HardtanhBackward0), Operation::elementwise},
      {typeid(generated::TanhBackward0), Operation::elementwise},
      {typeid(generated::SigmoidBackward0), Operation::elementwise},
      {typeid(generated::NativeDropoutBackward0), Operation::elementwise},
      {typeid(generated::MulBackward0), Operation::elementwise},
      {typeid(generated::AddBackward0), Operation::elementwise},
      {typeid(generated::SubBackward0), Operation::elementwise},
  };
  const auto found = known.find(typeid(node));
  return found == known.end() ? Operation::other : found->second;
}

bool is_linear(Operation operation) {
  return operation == Operation::addmm || operation == Operation::mm;
}

// Edges of addmm: bias, x, weight; of mm: x, weight.
size_t input_edge(Operation operation) { return operation == Operation::addmm ? 1 : 0; }
size_t weight_edge(Operation operation) { return operation == Operation::addmm ? 2 : 1; }

bool is_plain_sum(const Node& node, Operation operation) {
  if (operation != Operation::addmm) return true;
  const auto& addmm = static_cast<const generated::AddmmBackward0&>(node);
  return addmm.alpha.toDouble() == 1 && addmm.beta.toDouble() == 1;
}

Tensor saved_input(Node& node, Operation operation) {
  if (operation == Operation::addmm) {
    return static_cast<generated::AddmmBackward0&>(node).mat1_.unpack(owning(node));
  }
  return static_cast<generated::MmBackward0&>(node).self_.unpack(owning(node));
}

Tensor saved_weight(Node& node, Operation operation) {
  const auto transposed =
      operation == Operation::addmm
          ? static_cast<generated::AddmmBackward0&>(node).mat2_.unpack(owning(node))
          : static_cast<generated::MmBackward0&>(node).mat2_.unpack(owning(node));
  return transposed.t();
}

void relu_backward_in_place(Node& node, Tensor& gradient) {
  const auto result = static_cast<generated::ReluBackward0&>(node).result_.unpack(owning(node));
  at::threshold_backward_out(gradient, gradient, result, 0);
}

bool on_current_stream(const Node& node) {
  const auto& output = node.input_metadata(0);
  if (output.device().is_cpu()) return true;
  const c10::impl::VirtualGuardImpl there(output.device().type());
  return there.getStream(output.device()) == output.stream();
}

Tensor fitted(Tensor gradient, const Edge& edge) {
  const auto& input = edge.function->input_metadata(edge.input_nr);
  if (!input.is_same_shape(gradient)) gradient = input.reduce_grad(gradient);
  if (gradient.dtype() != input.dtype() || gradient.device() != input.device())
    gradient = gradient.to(input.device(), c10::typeMetaToScalarType(input.dtype()));
  return gradient;
}

Target output_of(Node& node) { return {Edge(owning(node), 0), Tensor()}; }

}  // namespace mtl::engine
