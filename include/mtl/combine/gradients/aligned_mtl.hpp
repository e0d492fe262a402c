#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Aligned-MTL: makes the task gradients orthogonal and of one length before they are summed, so
/// that the condition of their system is 1.
///     G = V diag(l) V',   w = sqrt(scale) V diag(l)^-1/2 V' preference
/// over the eigenvalues above max * T * epsilon. Senushkin et al., CVPR 2023 (arXiv 2305.19000).
class AlignedMtl : public GradientCombiner {
 public:
  /// Which eigenvalue gives the common length: the smallest (the paper's: never longer than the
  /// weakest), the lower median, or the mean (root mean square of the singular values).
  enum class Scale { min, median, rmse };
  struct Options {
    Scale scale = Scale::min;
    std::vector<double> preference = {};  ///< by task of the registry; empty: 1/T each
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  AlignedMtl() : AlignedMtl(Options{}) {}
  explicit AlignedMtl(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }  // it counts in 1/T

 private:
  Scale scale_;
  std::vector<double> preference_;
};

}  // namespace mtl
