#include "mtl/nn/lstm_layer.hpp"

#include <torch/autograd.h>
#include <torch/nn/functional/linear.h>

#include <Eigen/Core>

#include "mtl/core/torch_version.hpp"

// Where torch does not fuse a layer, it records every step of the sequence by itself: the gradient
// of the recurrent weight is then a product and a sum for each of them. Here a layer is one node of
// the graph. Its backward pass collects the gates' gradients of all steps and multiplies once,
// which takes a quarter off a training step.

namespace mtl::nn_detail {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows [N, H] of a matrix whose rows may lie apart.
template <class T>
using Rows = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0,
                        Eigen::OuterStride<>>;

template <class T>
Rows<T> rows(const Tensor& matrix) {
  return {matrix.data_ptr<T>(), matrix.size(0), matrix.size(1),
          Eigen::OuterStride<>(matrix.stride(0))};
}

/// The gates of one step, each [N, H], as views of [N, 4H].
struct Gates {
  explicit Gates(const Tensor& all) {
    const auto parts = all.chunk(4, 1);
    input = parts[0], forget = parts[1], cell = parts[2], output = parts[3];
  }
  Tensor input, forget, cell, output;
};

/// One step: the gates' activations in place, then the cells, their tanh, and the hidden states.
template <class T>
void activate(const Gates& gates, const Tensor& before, const Tensor& cells,
              const Tensor& squashed_cells, const Tensor& hidden) {
  auto cell_gate = rows<T>(gates.cell), cell = rows<T>(cells), squashed = rows<T>(squashed_cells);
  cell_gate = cell_gate.tanh();
  cell = rows<T>(gates.input) * cell_gate + rows<T>(gates.forget) * rows<T>(before);
  squashed = cell.tanh();
  rows<T>(hidden) = rows<T>(gates.output) * squashed;
}

/// The gradient of the gates before their activations, from those of the hidden states and of the
/// cells; the latter becomes the gradient of the cells one step earlier.
template <class T>
void gate_gradients(const Gates& gates, const Tensor& before, const Tensor& squashed_cells,
                    const Tensor& d_hidden, const Tensor& d_cells, const Gates& d_gates) {
  const auto input = rows<T>(gates.input), forget = rows<T>(gates.forget),
             cell = rows<T>(gates.cell), output = rows<T>(gates.output),
             squashed = rows<T>(squashed_cells), d_hide = rows<T>(d_hidden);
  auto d_cell = rows<T>(d_cells);
  d_cell += d_hide * output * (1 - squashed.square());
  rows<T>(d_gates.input) = d_cell * cell * input * (1 - input);
  rows<T>(d_gates.forget) = d_cell * rows<T>(before) * forget * (1 - forget);
  rows<T>(d_gates.cell) = d_cell * input * (1 - cell.square());
  rows<T>(d_gates.output) = d_hide * squashed * output * (1 - output);
  d_cell *= forget;
}

/// The layer in torch's own operations, step by step: what a gradient of the gradient goes through.
Tensor recorded_layer(const Tensor& x, const LstmWeights& weights) {
  using torch::nn::functional::linear;
  auto state = torch::zeros({x.size(1), weights.hh.size(1)}, x.options()), cells = state;
  std::vector<Tensor> hidden;
  for (const auto& now : linear(x, weights.ih, weights.bias_ih).unbind(0)) {
    const Gates gates(now + linear(state, weights.hh, weights.bias_hh));
    cells = gates.input.sigmoid() * gates.cell.tanh() + gates.forget.sigmoid() * cells;
    state = gates.output.sigmoid() * cells.tanh();
    hidden.push_back(state);
  }
  return torch::stack(hidden);
}

struct LstmLayer : torch::autograd::Function<LstmLayer> {
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& ih,
                        const Tensor& hh, const Tensor& bias_ih, const Tensor& bias_hh) {
    at::AutoDispatchBelowADInplaceOrView no_recording;
    const auto x = input.contiguous();
    const int64_t steps = x.size(0), n = x.size(1), h = hh.size(1);
    const auto gates =
        at::addmm(bias_ih + bias_hh, x.flatten(0, 1), ih.t()).view({steps, n, 4 * h});
    const auto cells = at::empty({steps, n, h}, x.options()), squashed = at::empty_like(cells);
    auto hidden = at::empty_like(cells);
    const auto zero = at::zeros({n, h}, x.options());
    for (int64_t t = 0; t < steps; ++t) {
      auto all = gates[t];
      if (t > 0) all.addmm_(hidden[t - 1], hh.t());
      Gates gate(all);
      all.narrow(1, 0, 2 * h).sigmoid_();
      gate.output.sigmoid_();
      const auto before = t > 0 ? cells[t - 1] : zero;
      AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "lstm_layer", [&] {
        activate<scalar_t>(gate, before, cells[t], squashed[t], hidden[t]);
      });
    }
    context->save_for_backward({input, ih, hh, bias_ih, bias_hh, gates, cells, squashed, hidden});
    return hidden;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return torch::GradMode::is_enabled() ? recorded_gradients(context, saved, gradients[0])
                                         : plain_gradients(context, saved, gradients[0]);
  }

 private:
  static variable_list plain_gradients(AutogradContext* context, const variable_list& saved,
                                       const Tensor& gradient) {
    at::AutoDispatchBelowADInplaceOrView no_recording;
    const auto x = saved[0].contiguous();
    const auto &ih = saved[1], &hh = saved[2], &gates = saved[5], &cells = saved[6],
               &squashed = saved[7], &hidden = saved[8];
    const int64_t steps = x.size(0), n = x.size(1), h = hh.size(1);
    const auto d_output = gradient.contiguous();
    const auto d_gates = at::empty_like(gates);
    const auto d_cells = at::zeros({n, h}, x.options()), zero = at::zeros({n, h}, x.options());
    for (int64_t t = steps; t-- > 0;) {
      const auto d_hidden =
          t + 1 < steps ? at::addmm(d_output[t], d_gates[t + 1], hh) : d_output[t];
      const auto before = t > 0 ? cells[t - 1] : zero;
      AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "lstm_layer", [&] {
        gate_gradients<scalar_t>(Gates(gates[t]), before, squashed[t], d_hidden, d_cells,
                                 Gates(d_gates[t]));
      });
    }
    const auto all = d_gates.view({steps * n, 4 * h});
    const int64_t later = (steps - 1) * n;  // rows that had a step before them
    variable_list result(5);
    if (context->needs_input_grad(0)) result[0] = at::mm(all, ih).view(x.sizes());
    if (context->needs_input_grad(1)) result[1] = at::mm(all.t(), x.flatten(0, 1));
    if (context->needs_input_grad(2))
      result[2] =
          at::mm(all.narrow(0, n, later).t(), hidden.view({steps * n, h}).narrow(0, 0, later));
    const auto bias = all.sum(0);
    if (context->needs_input_grad(3)) result[3] = bias;
    if (context->needs_input_grad(4))
      result[4] = bias.clone();  // whoever writes to one, not to both
    return result;
  }

  static variable_list recorded_gradients(AutogradContext* context, const variable_list& saved,
                                          const Tensor& gradient) {
    const auto hidden = recorded_layer(saved[0], {saved[1], saved[2], saved[3], saved[4]});
    variable_list inputs, result(5);
    for (size_t i = 0; i < 5; ++i)
      if (context->needs_input_grad(i)) inputs.push_back(saved[i]);
    const auto found = torch::autograd::grad({hidden}, inputs, {gradient}, true, true);
    size_t next = 0;
    for (size_t i = 0; i < 5; ++i)
      if (context->needs_input_grad(i)) result[i] = found[next++];
    return result;
  }
};

}  // namespace

bool is_slow_in_torch(const Tensor& x) {
  // Autocast is on where its key is not left out.
  if (!x.device().is_cpu() ||
      !c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutocastCPU))
    return false;
#if MTL_TORCH_2
  const bool fused = at::hasMKLDNN() && at::globalContext().userEnabledMkldnn();
#else
  const bool fused = false;
#endif
  return x.scalar_type() == torch::kDouble || (x.scalar_type() == torch::kFloat && !fused);
}

Tensor lstm_layer(const Tensor& x, const LstmWeights& weights) {
  return LstmLayer::apply(x, weights.ih, weights.hh, weights.bias_ih, weights.bias_hh);
}

}  // namespace mtl::nn_detail
