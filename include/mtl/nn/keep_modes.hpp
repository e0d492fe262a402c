#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

namespace mtl::nn {

/// Puts a module and all within it back into the mode that each had, training or evaluation, at the
/// end of a scope, also when something throws.
class KeepModes {
 public:
  explicit KeepModes(torch::nn::Module& module)
      : module_(module),
        own_(module.is_training()),
        inner_(module.modules(/*include_self=*/false)) {
    for (const auto& inner : inner_) modes_.push_back(inner->is_training());
  }
  ~KeepModes() {
    module_.train(own_);  // parents come before their children, which have the last word
    for (size_t m = 0; m < inner_.size(); ++m) inner_[m]->train(modes_[m]);
  }
  KeepModes(const KeepModes&) = delete;
  KeepModes& operator=(const KeepModes&) = delete;

 private:
  torch::nn::Module& module_;
  bool own_;
  std::vector<std::shared_ptr<torch::nn::Module>> inner_;
  std::vector<bool> modes_;
};

}  // namespace mtl::nn
