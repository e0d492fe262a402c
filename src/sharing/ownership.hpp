#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string_view>

namespace mtl {

/// Notes that every tensor of `module` belongs to the model that `owner` stands for. Error: one
/// belongs to another model, or to one that is gone and has trained it; the text names the part as
/// `what`.
void claim(const torch::nn::Module& module, const std::shared_ptr<const char>& owner,
           std::string_view what);

}  // namespace mtl
