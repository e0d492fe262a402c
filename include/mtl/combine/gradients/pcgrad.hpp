#pragma once

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/row_order.hpp"

namespace mtl {

/// Gradient surgery: from every task gradient, one after the other in random order, what opposes
/// another task is removed; then they are summed.
///     v_i = g_i;  for j != i in random order:  if v_i'g_j < 0:  v_i -= v_i'g_j / |g_j|^2 g_j
/// Yu et al., NeurIPS 2020 (arXiv 2001.06782).
class PcGrad : public GradientCombiner {
 public:
  struct Options {
    uint64_t seed = 0;                                  ///< of the order
    RowOrder order = {};                                ///< an order of one's own instead
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  PcGrad() : PcGrad(Options{}) {}
  explicit PcGrad(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  NamedTensors state_dict() const override { return draws_.state_dict(); }
  void load_state_dict(const NamedTensors& state) override { draws_.load_state_dict(state); }

 private:
  RowOrders draws_;
};

}  // namespace mtl
