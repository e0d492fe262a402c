#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/preference.hpp"
#include "mtl/combine/solvers/spectrum.hpp"

namespace mtl {

/// Aligned-MTL: makes the task gradients orthogonal and of one length before they are summed, so
/// that the condition of their system is 1.
///     G = V diag(l) V',   w = sqrt(scale) V diag(l)^-1/2 V' preference
/// over the eigenvalues that are more than rounding. Senushkin et al., CVPR 2023 (arXiv
/// 2305.19000).
class AlignedMtl : public GradientCombiner {
 public:
  static constexpr std::string_view name = "aligned";
  /// Which eigenvalue gives the common length: the smallest (the paper's: never longer than the
  /// weakest), the lower median, or the mean (root mean square of the singular values).
  enum class Scale { min, median, rmse };
  struct Options {
    Scale scale = Scale::min;                           ///< the paper's
    std::vector<double> preference = {};                ///< by task of the registry
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.choice("scale", scale,
                    {{"min", Scale::min}, {"median", Scale::median}, {"rmse", Scale::rmse}});
      option.numbers("preference", preference, any_number, "1/T each");
      describe_site(option, at, every);
    }
  };
  AlignedMtl() : AlignedMtl(Options{}) {}
  /// Error: preferences that are not finite, or all zero.
  explicit AlignedMtl(const Options& options)
      : GradientCombiner({options.at, options.every}),
        scale_(checked(options, name).scale),
        preference_(options.preference, name) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  /// Error: preferences of another number of tasks.
  Eigen::VectorXd weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) override {
    return from(solvers::spectrum(gramian), rows);
  }
  /// Of nearly parallel rows the small eigenvalues are lost in the rounding of G.
  Eigen::VectorXd exact_weights(const TaskLosses& rows, const Eigen::MatrixXd& gramian,
                                const GramianOf& gramian_of) override {
    return from(solvers::is_well_known(gramian) ? solvers::spectrum(gramian)
                                                : solvers::refined(gramian, gramian_of),
                rows);
  }
  void set_task_count(int64_t tasks) override {
    GradientCombiner::set_task_count(tasks);
    preference_.set_task_count(tasks);
  }

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }  // it counts in 1/T

 private:
  Eigen::VectorXd from(const solvers::Spectrum& spectrum, const TaskLosses& rows);

  Scale scale_;
  Preference preference_;
};

inline Eigen::VectorXd AlignedMtl::from(const solvers::Spectrum& spectrum, const TaskLosses& rows) {
  const Eigen::VectorXd& l = spectrum.values;
  stationary_ = l.size() == 0;
  if (stationary_) return Eigen::VectorXd::Zero(rows.size());
  const double scale = scale_ == Scale::min      ? l[0]
                       : scale_ == Scale::median ? l[(l.size() - 1) / 2]
                                                 : l.mean();
  Eigen::VectorXd factors(l.size());
  for (Eigen::Index k = 0; k < l.size(); ++k) factors[k] = std::sqrt(scale / l[k]);
  return solvers::spectral_product(spectrum, factors, preference_.of(rows));
}

}  // namespace mtl
