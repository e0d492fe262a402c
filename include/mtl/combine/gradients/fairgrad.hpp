#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/solvers/bargain.hpp"

namespace mtl {

/// alpha-fair utility of the tasks' progress: alpha near 0 maximizes the sum, 1 is Nash-MTL, large
/// alpha looks to the slowest task.
///     G w = w^(-1/alpha),  w > 0
/// At Pareto-stationary points there is no such w: the shared parameters rest, and the report says
/// so. Ban and Ji, ICML 2024 (arXiv 2402.15638).
class FairGrad : public GradientCombiner {
 public:
  static constexpr std::string_view name = "fairgrad";
  struct Options {
    double alpha = 1;                                   ///< proportional fairness, as Nash-MTL
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.number("alpha", alpha, positive);
      describe_site(option, at, every);
    }
  };
  FairGrad() : FairGrad(Options{}) {}
  /// Error: alpha is not positive and finite.
  explicit FairGrad(const Options& options)
      : GradientCombiner({options.at, options.every}), options_(checked(options, name)) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    auto found = solvers::fairgrad(gramian, options_.alpha);
    stationary_ = found.stationary;
    return std::move(found.weights);
  }

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }

 private:
  Options options_;
};

}  // namespace mtl
