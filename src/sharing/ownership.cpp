#include "ownership.hpp"

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {
namespace {

using WeakTensor = c10::weak_intrusive_ptr<at::TensorImpl>;

struct Claim {
  WeakTensor tensor;                // an address alone may have a second life
  std::weak_ptr<const char> owner;  // expired: the model is gone
  uint32_t version;                 // of the tensor then; every training step raises it
};

// A module does not know its parents, so who owns a tensor can stand nowhere but beside them all.
// Nothing is kept alive by it, and nothing is decided by it but an Error.
struct Claims {
  std::mutex mutex;
  std::unordered_map<const at::TensorImpl*, Claim> by_tensor;
};

Claims& claims() {
  static Claims all;
  return all;
}

/// What is made in inference mode counts no changes, and is never trained.
uint32_t version_of(const Tensor& tensor) {
  return tensor.is_inference() ? 0 : static_cast<uint32_t>(tensor._version());
}

}  // namespace

void claim(const torch::nn::Module& module, const std::shared_ptr<const char>& owner,
           std::string_view what, const std::vector<std::shared_ptr<const char>>& within) {
  std::vector<Tensor> tensors = module.parameters();
  for (const Tensor& buffer : module.buffers())
    if (buffer.defined()) tensors.push_back(buffer);

  Claims& all = claims();
  const std::lock_guard lock(all.mutex);
  std::erase_if(all.by_tensor, [](const auto& item) { return item.second.tensor.expired(); });
  std::erase_if(tensors, [&](const Tensor& tensor) {
    const auto found = all.by_tensor.find(tensor.unsafeGetTensorImpl());
    return found != all.by_tensor.end() &&
           std::find(within.begin(), within.end(), found->second.owner.lock()) != within.end();
  });
  for (const Tensor& tensor : tensors) {
    const auto found = all.by_tensor.find(tensor.unsafeGetTensorImpl());
    if (found == all.by_tensor.end()) continue;
    const auto other = found->second.owner.lock();
    if (other == owner) continue;
    if (other != nullptr)
      throw Error(
          "{} belongs to another model already, and two models would train the same weights. Make "
          "encoders and tasks anew for each model (a function that returns them), or give a copy: "
          "mtl::clone",
          what);
    if (found->second.version != version_of(tensor))
      throw Error(
          "{} was trained or loaded in a model that is gone, so that a new model would not start "
          "anew. Make encoders and tasks anew for each model (a function that returns them), or "
          "say that its weights are to be kept by giving a copy: mtl::clone",
          what);
  }
  for (const Tensor& tensor : tensors)
    all.by_tensor.insert_or_assign(
        tensor.unsafeGetTensorImpl(),
        Claim{WeakTensor(tensor.getIntrusivePtr()), owner, version_of(tensor)});
}

}  // namespace mtl
