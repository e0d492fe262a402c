#pragma once

#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/torch_version.hpp"
#include "mtl/nn/clone.hpp"
#include "mtl/nn/layer.hpp"

namespace mtl::deploy_detail {

/// Layers one after the other under names of their own: what becomes of a torch::nn::Sequential
/// that is read from a file, whose own push_back wants to know each layer's type.
class StepsImpl : public torch::nn::Module {
 public:
  StepsImpl() : torch::nn::Module("Steps") {}

  /// Error: there is no layer. c10::Error: the name is taken, or holds a dot.
  void add(const std::string& name, const nn::Layer& layer) {
    if (!layer) throw Error("nn.Sequential: the step \"{}\" is missing", name);
    register_module(name, layer.module());
    steps_.push_back({name, layer});
  }

  Tensor forward(const Tensor& input) {
    Tensor x = input;
    for (const Step& step : steps_) x = step.layer.forward(x);
    return x;
  }

  std::shared_ptr<torch::nn::Module> clone(const OptionalDevice& device = {}) const override {
    auto copy = std::make_shared<StepsImpl>();
    for (const Step& step : steps_) copy->add(step.name, step.layer.clone());
    nn::copy_state(*this, *copy);
    if (device) copy->to(*device);
    return copy;
  }

 private:
  struct Step {
    std::string name;
    nn::Layer layer;
  };
  std::vector<Step> steps_;
};

}  // namespace mtl::deploy_detail
