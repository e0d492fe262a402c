#pragma once

#include <functional>

#include "mtl/combine/combiner.hpp"
#include "mtl/core/random.hpp"

namespace mtl {

/// Random weights in every step (RLW, random scalarization): as good as many designed weightings,
/// and what they should be compared with.
///     sum w_t l_t,   w >= 0,  sum w = 1
/// Lin et al., TMLR 2022 (arXiv 2111.10603).
class RandomLossWeighting : public LossCombiner {
 public:
  enum class Distribution {
    normal,     // softmax of standard normal draws: the paper's choice, and LibMTL's
    uniform,    // softmax of draws from [0, 1)
    dirichlet,  // uniform on the simplex
    bernoulli,  // each task with chance 1/2, the chosen ones alike; again when none was chosen
  };
  struct Options {
    Distribution distribution = Distribution::normal;
    uint64_t seed = 0;  ///< of the combiner's own generator, which its state carries
    /// Where the raw draws [P] (normal or uniform in [0, 1)) come from instead; empty: the
    /// generator.
    std::function<Tensor(int64_t tasks)> draws = {};
  };
  RandomLossWeighting() : RandomLossWeighting(Options{}) {}
  explicit RandomLossWeighting(Options options);

  Tensor combine(const TaskLosses& losses) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Tensor draw(int64_t tasks);

  Options options_;
  torch::Generator generator_;
};

}  // namespace mtl
