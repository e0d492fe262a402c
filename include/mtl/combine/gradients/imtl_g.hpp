#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/solvers/scaling.hpp"
#include "mtl/combine/solvers/spectrum.hpp"

namespace mtl {

/// Impartial learning, gradient part: a direction whose projections on all task gradients are
/// equal.
///     G v = (|g_1|, ..., |g_T|)  by the pseudo-inverse,    w = v / sum v
/// Weights may be negative. Zero where v sums to zero, as it can when the rows cancel.
/// Liu et al., Towards Impartial Multi-task Learning, ICLR 2021.
class ImtlG : public GradientCombiner {
 public:
  static constexpr std::string_view name = "imtl_g";
  struct Options {
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) { describe_site(option, at, every); }
  };
  ImtlG() : ImtlG(Options{}) {}
  explicit ImtlG(const Options& options) : GradientCombiner({options.at, options.every}) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    const Eigen::VectorXd v = solvers::pseudo_solve(gramian, solvers::lengths(gramian));
    double sum = 0, size = 0;
    for (const double entry : v) {
      sum += entry;
      size += std::abs(entry);
    }
    stationary_ = std::abs(sum) <= 1e-12 * size;
    return v * (stationary_ ? 0 : 1 / sum);
  }

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
};

}  // namespace mtl
