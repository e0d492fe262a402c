#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/solvers/equal_angles.hpp"
#include "mtl/combine/solvers/spectrum.hpp"
#include "mtl/combine/solvers/vectors.hpp"

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
    return of_sum_one(solvers::pseudo_solve(gramian, solvers::lengths(gramian)));
  }
  /// Of nearly parallel rows the small eigenvalues are lost in the rounding of G, and what matters
  /// of their lengths in that of its diagonal.
  Eigen::VectorXd exact_weights(const TaskLosses& rows, const Eigen::MatrixXd& gramian,
                                const GramianOf& gramian_of) override {
    if (solvers::is_well_known(gramian)) return weights_of(rows, gramian);
    const solvers::Spectrum spectrum = solvers::refined(gramian, gramian_of);
    if (spectrum.values.size() < gramian.rows()) return weights_of(rows, gramian);
    return of_sum_one(solvers::equal_projections(spectrum));
  }

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }

 private:
  Eigen::VectorXd of_sum_one(const Eigen::VectorXd& v) {
    double sum = 0, size = 0;
    for (const double entry : v) {
      sum += entry;
      size += std::abs(entry);
    }
    stationary_ = std::abs(sum) <= 1e-12 * size;
    return solvers::times(stationary_ ? 0 : 1 / sum, v);
  }
};

}  // namespace mtl
