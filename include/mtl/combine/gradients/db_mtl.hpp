#pragma once

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/row_state.hpp"

namespace mtl {

/// Dual balancing: of losses by their logarithm, of gradients by running means that are all
/// stretched to the longest.
///     rows = gradients of log(l_t + 1e-8),   y <- rows + beta k^-beta_sigma (y - rows),
///     d = sum_t max_s |y_s| / (|y_t| + 1e-8) y_t
/// at step k = 1, 2, ...; heads receive the gradient of sum_t log l_t. `aggregate` takes the rows
/// as they are given. Lin et al., 2023 (arXiv 2308.12029).
class DbMtl : public DirectionCombiner {
 public:
  struct Options {
    double beta = 0.9, beta_sigma = 0;                  ///< of the running mean; beta 0: none
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  DbMtl() : DbMtl(Options{}) {}
  explicit DbMtl(const Options& options);

  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  Direction direction(const Rows& rows) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Options options_;
  RowState mean_;          // y
  Eigen::VectorXd steps_;  // by task of the registry
};

}  // namespace mtl
