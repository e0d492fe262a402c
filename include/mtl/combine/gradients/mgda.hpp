#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// Multiple-gradient descent: the shortest vector in the convex hull of the task gradients. Never
/// hurts a task to first order; stops at Pareto-stationary points, so also where one task has
/// converged: the shared parameters then rest, and every head takes its own gradient.
///     w = argmin  w'Gw   over  w >= 0, sum w = 1          G [T,T] = J J'
/// Desideri, C. R. Acad. Sci. 2012; Sener and Koltun, NeurIPS 2018 (arXiv 1810.04650).
class Mgda : public GradientCombiner {
 public:
  static constexpr std::string_view name = "mgda";
  /// What a row is divided by before w is sought (w then applies to the rows as they are): nothing,
  /// as in the paper's theory; its length; its loss; or both, as in the paper's experiments.
  enum class Scale { none, l2, loss, loss_and_l2 };
  struct Options {
    Scale scale = Scale::none;                          ///< as in the paper's theory
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.choice("scale", scale,
                    {{"none", Scale::none},
                     {"l2", Scale::l2},
                     {"loss", Scale::loss},
                     {"loss+", Scale::loss_and_l2}});
      describe_site(option, at, every);
    }
  };
  Mgda() : Mgda(Options{}) {}
  explicit Mgda(const Options& options)
      : GradientCombiner({options.at, options.every}), options_(checked(options, name)) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  /// FaultyStep: a scale by losses where a loss is not positive. Error: where it is not known.
  inline Eigen::VectorXd weights_of(const TaskLosses& rows,
                                    const Eigen::MatrixXd& gramian) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }

 private:
  Options options_;
};

inline Eigen::VectorXd Mgda::weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) {
  const bool by_length = options_.scale == Scale::l2 || options_.scale == Scale::loss_and_l2;
  const bool by_loss = options_.scale == Scale::loss || options_.scale == Scale::loss_and_l2;
  Eigen::VectorXd factors = Eigen::VectorXd::Ones(gramian.rows());
  if (by_loss) {
    for (const Tensor& value : rows.values)
      if (!value.defined())
        throw Error("combiner \"mgda\" scaled by losses needs the losses, not gradients alone");
    factors = loss_numbers(rows, "mgda scaled by losses", LossRange::above_zero);
    for (double& factor : factors) factor = 1 / factor;
  }
  for (Eigen::Index t = 0; t < factors.size(); ++t) {
    // A zero row stays zero, whatever its divisor.
    if (by_length && gramian(t, t) > 0) factors[t] /= std::sqrt(gramian(t, t));
  }
  const auto point = solvers::min_norm_point(solvers::scaled(gramian, factors));
  stationary_ = point.stationary;
  return point.weights;
}

}  // namespace mtl
