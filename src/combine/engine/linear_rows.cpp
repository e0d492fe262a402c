#include "linear_rows.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "mtl/core/tensor.hpp"

namespace mtl::engine {
namespace {

using at::Tensor;

// Blocks of samples and of row elements: what a matrix product works on at once stays within the
// cache. A device wants few and large ones instead.
int64_t sample_block(const Tensor& like) { return like.is_cpu() ? 64 : 512; }
int64_t row_block(const Tensor& like) { return like.is_cpu() ? 1 << 22 : 1 << 26; }

// [T, N, out] whose elements follow each other, as [T, N out]; `flatten` costs twice as much.
Tensor flat(const Tensor& delta) { return delta.view({delta.size(0), -1}); }

// G_st = <delta_s, K delta_t> with K = input input^T [N, N] (+ 1 for the bias). K is symmetric, so
// that half of it, with twice the weight off the diagonal, gives the same G once that is made
// symmetric: half the multiplications.
void add_through_products(const LinearRows& layer, bool bias, GramianSum& sum,
                          Workspace& workspace) {
  const auto& delta = layer.delta;
  const auto tasks = delta.size(0);
  const auto samples = delta.size(1);
  auto half = at::mm(layer.input, layer.input.t());  // the whole, as yet
  if (bias) half.add_(1);
  const auto block = sample_block(delta);
  if (samples <= block) {
    auto product = workspace.scratch(delta.sizes(), delta);
    at::bmm_out(product, half.unsqueeze(0).expand({tasks, samples, samples}), delta);
    return sum.add_product(flat(delta), flat(product), true);
  }
  half.tril_().mul_(2);
  half.diagonal().mul_(0.5);
  for (int64_t begin = 0; begin < samples; begin += block) {
    const auto size = std::min(block, samples - begin);
    const auto end = begin + size;
    const auto rows =
        half.narrow(0, begin, size).narrow(1, 0, end).unsqueeze(0).expand({tasks, size, end});
    auto product = workspace.scratch({tasks, size, delta.size(2)}, delta);
    at::bmm_out(product, rows, delta.narrow(1, 0, end));
    sum.add_product(delta.narrow(1, begin, size).flatten(1), product.flatten(1), false);
  }
}

// rows[t] = delta[t]^T input, [T, out, in].
void multiply_rows(const Tensor& rows, const Tensor& delta, const Tensor& input) {
  const auto tasks = delta.size(0), samples = delta.size(1);
  // A batch of few small products of long sums leaves most of a device idle; one by one cuBLAS
  // splits the sums.
  constexpr int64_t few = 4, small = 1 << 21, long_sum = 1 << 10;
  if (!rows.is_cpu() && tasks <= few && rows.numel() < small && samples >= long_sum) {
    for (int64_t t = 0; t < tasks; ++t) {
      auto row = rows[t];
      at::mm_out(row, delta[t].t(), input);
    }
    return;
  }
  auto all = rows;
  at::bmm_out(all, delta.transpose(1, 2),
              input.unsqueeze(0).expand({tasks, samples, input.size(1)}));
}

// Rows of a block of outputs at a time: they are needed once and never all together.
void add_through_rows(const LinearRows& layer, bool weight, bool bias, GramianSum& sum,
                      Workspace& workspace) {
  const auto& delta = layer.delta;
  const auto tasks = delta.size(0);
  if (bias) {
    const auto rows = delta.sum(1);
    sum.add_product(rows, rows, true);
  }
  if (!weight) return;
  if (layer.input.size(1) == 0) return;  // a layer of no inputs
  const auto block = std::max<int64_t>(1, row_block(delta) / (tasks * layer.input.size(1)));
  for (int64_t begin = 0; begin < delta.size(2); begin += block) {
    const auto size = std::min(block, delta.size(2) - begin);
    const auto rows = workspace.scratch({tasks, size, layer.input.size(1)}, delta);
    multiply_rows(rows, delta.narrow(2, begin, size), layer.input);
    sum.add_product(rows.flatten(1), rows.flatten(1), true);
  }
}

// sum_t w_t delta[t], [N, out].
Tensor mix(const Tensor& delta, LayerWeights& weights) {
  // On a device so many kernels cost no more than to copy the weights there.
  constexpr int64_t few = 3;
  if (delta.is_cpu() || delta.size(0) > few)
    return at::mv(flat(delta).t(), weights.beside(delta)).view({delta.size(1), delta.size(2)});
  auto sum = at::mul(delta[0], weights[0]);
  for (int64_t t = 1; t < delta.size(0); ++t) sum.add_(delta[t], weights[t]);
  return sum;
}

}  // namespace

bool products_pay(int64_t tasks, int64_t samples, int64_t inputs, int64_t outputs) {
  const auto T = static_cast<double>(tasks), N = static_cast<double>(samples);
  const auto in = static_cast<double>(inputs), out = static_cast<double>(outputs);
  constexpr double element =
      64;  // what it costs to write and read an element, in multiplications; measured
  const auto through_rows = T * in * out * (N + T + element);
  const auto through_products = N * N * in + T * N * out * (0.6 * N + T + element) + N * in * out;
  return through_products < through_rows;
}

void add_gramian(const LinearRows& layer, bool weight, bool bias, bool in_double, GramianSum& sum,
                 Workspace& workspace) {
  bias = bias && layer.bias;
  if (!weight && !bias) return;
  auto exact = layer;
  if (in_double) {
    exact.input = layer.input.to(at::kDouble);
    exact.delta = layer.delta.to(at::kDouble);
  }
  if (layer.through_products && weight) {
    add_through_products(exact, bias, sum, workspace);
  } else {
    add_through_rows(exact, weight, bias, sum, workspace);
  }
}

std::vector<Tensor> weight_rows(const LinearRows& layer) {
  const auto tasks = layer.delta.size(0);
  const auto input =
      layer.input.unsqueeze(0).expand({tasks, layer.input.size(0), layer.input.size(1)});
  return at::bmm(layer.delta.transpose(1, 2), input).unbind(0);
}

std::vector<Tensor> bias_rows(const LinearRows& layer) { return layer.delta.sum(1).unbind(0); }

const Tensor& LayerWeights::beside(const Tensor& like) {
  if (there_.defined() && there_.device() == like.device() && there_.dtype() == like.dtype())
    return there_;
  const at::ArrayRef<double> numbers(weights_.data(), static_cast<size_t>(weights_.size()));
  there_ = like.is_cpu() ? at::tensor(numbers, like.scalar_type())
                         : mtl::beside(at::tensor(numbers, at::kDouble), like);
  return there_;
}

std::pair<Tensor, Tensor> weighted_sum(const LinearRows& layer, LayerWeights& weights) {
  const auto mixed = mix(layer.delta, weights);
  return {at::mm(mixed.t(), layer.input), layer.bias ? mixed.sum(0) : Tensor()};
}

void add_products(const LinearRows& layer, const Tensor& weight, const Tensor& bias,
                  NumberSums& result) {
  if (!weight.defined() && !bias.defined()) return;
  const auto& delta = layer.delta;
  Tensor change;  // of the layer's output along the direction [N, out]
  if (weight.defined()) change = at::mm(layer.input, weight.t());
  if (bias.defined()) {
    const auto row = bias.reshape({1, -1});
    change =
        change.defined() ? change + row : row.expand({delta.size(1), delta.size(2)}).contiguous();
  }
  for (int64_t t = 0; t < delta.size(0); ++t) result.add(t, engine::inner(delta[t], change));
}

}  // namespace mtl::engine
