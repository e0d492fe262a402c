#pragma once

#include <functional>

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Gradient sign dropout: each element keeps either its positive or its negative parts, by a draw
/// whose odds are those of the signs.
///     P = .5 (1 + sum_t g_t / sum_t |g_t|),   u uniform;   positive g_t stay where P > u, negative
///     where P < u
/// The paper does so at the shared representation, with the sign of gradient times representation:
/// that is what `at = GradientSite::representation` gives.
/// Chen et al., NeurIPS 2020 (arXiv 2010.06808).
class GradDrop : public DirectionCombiner {
 public:
  struct Options {
    double leak = 0;  ///< part of every gradient that always passes, in [0, 1]
    uint64_t seed = 0;
    std::function<Tensor(const Tensor&)> uniforms = {};  ///< own draws, shaped like the argument
    GradientSite at = GradientSite::shared_parameters;   ///< where the gradients are compared
  };
  GradDrop() : GradDrop(Options{}) {}
  explicit GradDrop(Options options);

  Direction direction(const Rows& rows) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Options options_;
  torch::Generator generator_;
};

}  // namespace mtl
