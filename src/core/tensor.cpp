#include "mtl/core/tensor.hpp"

#include <unordered_set>

namespace mtl {

std::vector<Tensor> without_doubles(const std::vector<Tensor>& tensors) {
  std::unordered_set<const at::TensorImpl*> seen;
  std::vector<Tensor> once;
  once.reserve(tensors.size());
  for (const Tensor& tensor : tensors)
    if (seen.insert(tensor.unsafeGetTensorImpl()).second) once.push_back(tensor);
  return once;
}

}  // namespace mtl
