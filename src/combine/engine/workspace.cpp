#include "workspace.hpp"

#include <ATen/ATen.h>

#include <utility>

namespace mtl::engine {
namespace {

using at::Tensor;

bool holds(const Tensor& memory, at::IntArrayRef sizes, const Tensor& like) {
  return memory.defined() && memory.dtype() == like.dtype() && memory.device() == like.device() &&
         memory.storage().nbytes() >=
             static_cast<size_t>(c10::multiply_integers(sizes)) * like.dtype().itemsize();
}

}  // namespace

bool owned(const Tensor& tensor) {
  if (tensor.use_count() != 1 || !tensor.is_non_overlapping_and_dense()) return false;
  // Autograd lets a view keep its base: nobody sees that if the view alone does.
  if (tensor.is_view()) return tensor._base().use_count() == 1 && tensor.storage().use_count() == 2;
  return tensor.storage().use_count() == 1;
}

Tensor Workspace::take(at::IntArrayRef sizes, const Tensor& like) {
  auto best = spare_.end();
  for (auto spare = spare_.begin(); spare != spare_.end(); ++spare) {
    if (holds(*spare, sizes, like) &&
        (best == spare_.end() || spare->storage().nbytes() < best->storage().nbytes())) {
      best = spare;
    }
  }
  if (best == spare_.end()) return at::empty(sizes, like.options());
  auto taken = std::move(*best);
  spare_.erase(best);
  return taken.resize_(sizes);
}

Tensor Workspace::scratch(at::IntArrayRef sizes, const Tensor& like) {
  if (!holds(scratch_, sizes, like)) scratch_ = at::empty(sizes, like.options());
  return scratch_.resize_(sizes);
}

void Workspace::end_step(std::vector<Tensor> tensors) {
  spare_.clear();
  for (auto& tensor : tensors) {
    if (tensor.is_cpu() && owned(tensor)) spare_.push_back(std::move(tensor));
  }
}

}  // namespace mtl::engine
