#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/core/random.hpp"

namespace mtl {

/// Random weights on the gradients, the baseline that every method has to beat: softmax of normal
/// draws, new each step. Lin et al., TMLR 2022 (arXiv 2111.10603).
class RandomWeights : public GradientCombiner {
 public:
  static constexpr std::string_view name = "random";
  struct Options {
    uint64_t seed = 0;                                   ///< of the combiner's own generator
    std::function<Eigen::VectorXd(int64_t)> draws = {};  ///< own draws instead, T of them a step
    GradientSite at = GradientSite::shared_parameters;   ///< where the gradients are compared
    int64_t every = 1;                                   ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.seed("seed", seed);
      describe_site(option, at, every);
    }
  };
  RandomWeights() : RandomWeights(Options{}) {}
  explicit RandomWeights(Options options)
      : GradientCombiner({options.at, options.every}),
        draws_(std::move(options.draws)),
        generator_(make_generator(options.seed)) {}

  /// Error: draws of one's own are not T.
  inline Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  NamedTensors state_dict() const override {
    NamedTensors state = saved({});
    state.insert("generator", generator_state(generator_));
    return state;
  }
  void load_state_dict(const NamedTensors& state) override {
    torch::Generator loaded = generator_.clone();
    set_generator_state(loaded, state_entry(state, "generator"));
    load(state, {}, {"generator"});
    generator_ = std::move(loaded);
  }

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }

 private:
  std::function<Eigen::VectorXd(int64_t)> draws_;
  torch::Generator generator_;
};

inline Eigen::VectorXd RandomWeights::weights(const Eigen::MatrixXd& gramian) {
  const Eigen::Index n = gramian.rows();
  if (draws_) {
    const Eigen::VectorXd own = draws_(n);
    if (own.size() != n) throw Error("combiner \"random\": {} draws for {} tasks", own.size(), n);
    return solvers::softmax(own);
  }
  const Tensor drawn = torch::randn({n}, generator_, torch::kDouble);
  Eigen::VectorXd logits(n);
  std::copy_n(drawn.data_ptr<double>(), n, logits.data());
  return solvers::softmax(logits);
}

}  // namespace mtl
