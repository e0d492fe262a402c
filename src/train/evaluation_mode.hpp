#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

namespace mtl {

/// Evaluation mode for a while. The mode of every part is put back, also when something throws.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& model) {
    // Parents come before their children, which therefore have the last word.
    for (torch::nn::Module* part : parts_of(model)) modes_.push_back({part, part->is_training()});
    model.eval();
  }
  ~EvaluationMode() {
    for (const Mode& mode : modes_) mode.part->train(mode.training);
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  struct Mode {
    torch::nn::Module* part;
    bool training;
  };
  static std::vector<torch::nn::Module*> parts_of(torch::nn::Module& model) {
    std::vector<torch::nn::Module*> parts{&model};
    for (size_t p = 0; p < parts.size(); ++p)
      for (const auto& child : parts[p]->children()) parts.push_back(child.get());
    return parts;
  }

  std::vector<Mode> modes_;
};

}  // namespace mtl
