#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// What a forward pass changes besides the predictions: running statistics and other buffers.
class BufferMemory {
 public:
  explicit BufferMemory(std::vector<Tensor> buffers) : buffers_(std::move(buffers)) {}
  void remember();
  void put_back();

 private:
  std::vector<Tensor> buffers_, saved_;
};

/// All that a step changes before the optimizer moves: buffers, LibTorch's global generator of a
/// device, from which dropout draws, and what the combiner keeps.
class StepMemory {
 public:
  /// `combiner`: null where what it keeps need not come back.
  StepMemory(std::vector<Tensor> buffers, torch::Device device, Combiner* combiner)
      : buffers_(std::move(buffers)), device_(device), combiner_(combiner) {}
  void remember();
  void put_back();

 private:
  BufferMemory buffers_;
  torch::Device device_;
  Combiner* combiner_;
  NamedTensors of_combiner_ = NamedTensors();
  // The CPU's is copied as it is: its state as a tensor would cost a small net's step some percent.
  at::mt19937 engine_;
  decltype(std::declval<at::CPUGeneratorImpl>().next_float_normal_sample()) next_float_;
  decltype(std::declval<at::CPUGeneratorImpl>().next_double_normal_sample()) next_double_;
  Tensor state_;
};

}  // namespace mtl
