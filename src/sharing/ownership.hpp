#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string_view>
#include <vector>

namespace mtl {

/// Notes that every tensor of `module` belongs to the model that `owner` stands for. Error: one
/// belongs to another model, or to one that is gone and has trained it; the text names the part as
/// `what`. What belongs to models `within` it stays theirs.
void claim(const torch::nn::Module& module, const std::shared_ptr<const char>& owner,
           std::string_view what, const std::vector<std::shared_ptr<const char>>& within = {});

}  // namespace mtl
