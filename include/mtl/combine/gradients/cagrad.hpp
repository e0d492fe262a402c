#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/solvers/cagrad.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// Conflict-averse gradient: of all directions near the mean gradient g0, the one that helps the
/// worst task most.
///     d = argmax  min_t g_t'd   subject to  |d - g0| <= c |g0|
/// c 0 is the mean, c -> infinity turns to MGDA; c >= 1 never hurts a task to first order.
/// Liu et al., NeurIPS 2021 (arXiv 2110.14048).
class CaGrad : public GradientCombiner {
 public:
  static constexpr std::string_view name = "cagrad";
  /// What d is divided by: 1, 1 + c^2 (LibMTL's default), 1 + c.
  enum class Rescale { none, by_square, by_sum };
  struct Options {
    double c = 0.4;                                     ///< the paper's; LibMTL, TorchJD take 0.5
    Rescale rescale = Rescale::none;                    ///< d as the formula has it
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.number("c", c, not_negative);
      option.choice("rescale", rescale,
                    {{"0", Rescale::none}, {"1", Rescale::by_square}, {"2", Rescale::by_sum}});
      describe_site(option, at, every);
    }
  };
  CaGrad() : CaGrad(Options{}) {}
  /// Error: c is negative or not finite.
  explicit CaGrad(const Options& options)
      : GradientCombiner({options.at, options.every}), options_(checked(options, name)) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    const auto found = solvers::cagrad(gramian, options_.c);
    stationary_ = found.stationary;
    const double divisor = options_.rescale == Rescale::by_square ? 1 + options_.c * options_.c
                           : options_.rescale == Rescale::by_sum  ? 1 + options_.c
                                                                  : 1;
    return solvers::divided(found.weights, divisor);
  }

 private:
  Options options_;
};

}  // namespace mtl
