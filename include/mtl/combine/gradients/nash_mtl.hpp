#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/solvers/bargain.hpp"

namespace mtl {

/// Nash bargaining of the tasks over the direction: proportional fairness, whatever the lengths of
/// the gradients.
///     G w = 1 / w,  w > 0
/// |J'w| is sqrt(T) always. At Pareto-stationary points there is no such w: the shared parameters
/// rest, and the report says so. Navon et al., ICML 2022 (arXiv 2202.01017).
class NashMtl : public GradientCombiner {
 public:
  static constexpr std::string_view name = "nash";
  struct Options {
    double max_norm = 0;  ///< longest |J'w|; 0: no limit. The paper's code and the peers take 1
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.number("max_norm", max_norm, not_negative);
      describe_site(option, at, every);
    }
  };
  NashMtl() : NashMtl(Options{}) {}
  /// Error: max_norm is negative or not finite.
  explicit NashMtl(const Options& options)
      : GradientCombiner({options.at, options.every}), options_(checked(options, name)) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    const auto found = solvers::nash(gramian);
    stationary_ = found.stationary;
    const double length = std::sqrt(static_cast<double>(gramian.rows()));  // of J'w, always
    const bool too_long = options_.max_norm > 0 && length > options_.max_norm;
    return found.weights * (too_long ? options_.max_norm / length : 1);
  }

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }

 private:
  Options options_;
};

}  // namespace mtl
