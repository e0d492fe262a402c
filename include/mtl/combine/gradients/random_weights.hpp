#pragma once

#include <functional>

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Random weights on the gradients, the baseline that every method has to beat: softmax of normal
/// draws, new each step. Lin et al., TMLR 2022 (arXiv 2111.10603).
class RandomWeights : public GradientCombiner {
 public:
  struct Options {
    uint64_t seed = 0;
    std::function<Eigen::VectorXd(int64_t)> draws = {};  ///< own draws instead, T of them a step
    GradientSite at = GradientSite::shared_parameters;   ///< where the gradients are compared
    int64_t every = 1;                                   ///< solve anew every that many steps
  };
  RandomWeights() : RandomWeights(Options{}) {}
  explicit RandomWeights(Options options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }

 private:
  Options options_;
  torch::Generator generator_;
};

}  // namespace mtl
