#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace mtl::engine {

/// Whether nobody but this handle sees the tensor's elements, so that they may be written over.
bool owned(const at::Tensor& tensor);

/// Memory that outlives a step. A large fresh block comes from the system page by page, with a
/// fault for each, which in a step made of megabytes is a tenth of the time.
class Workspace {
 public:
  /// A tensor with undefined elements, of `like`'s type and device.
  at::Tensor take(at::IntArrayRef sizes, const at::Tensor& like);

  /// A tensor whose elements the next call of this function takes back.
  at::Tensor scratch(at::IntArrayRef sizes, const at::Tensor& like);

  /// Leaves those of the `tensors` that nobody else sees to the next step, and nothing else.
  void end_step(std::vector<at::Tensor> tensors);

 private:
  std::vector<at::Tensor> spare_;
  at::Tensor scratch_;
};

}  // namespace mtl::engine
