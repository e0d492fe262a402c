#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <vector>

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

/// The state of LibTorch's global generator of a device, from which dropout draws.
class GeneratorMemory {
 public:
  explicit GeneratorMemory(torch::Device device) : device_(device) {}
  void remember();
  void put_back();

 private:
  torch::Device device_;
  // The CPU's is copied as it is: its state as a tensor would cost a small net's step some percent.
  at::mt19937 engine_;
  decltype(std::declval<at::CPUGeneratorImpl>().next_float_normal_sample()) next_float_;
  decltype(std::declval<at::CPUGeneratorImpl>().next_double_normal_sample()) next_double_;
  Tensor state_;
};

}  // namespace mtl
