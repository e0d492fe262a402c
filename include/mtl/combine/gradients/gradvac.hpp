#pragma once

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/row_order.hpp"

namespace mtl {

/// Gradient vaccine: like PCGrad, but gradients are bent until their cosine is the one usual for
/// the pair, not only until they stop to conflict.
///     for j != i in random order, cos = v_i'g_j / (|v_i| |g_j| + 1e-8):  if cos < phi_ij:
///       v_i += |v_i| (phi sqrt(1-cos^2) - cos sqrt(1-phi^2)) / (|g_j| sqrt(1-phi^2) + 1e-8) g_j
///     phi_ij <- (1 - beta) phi_ij + beta cos
/// The two 1e-8 are the authors': gradients should be longer than 1e-4. Wang et al., ICLR 2021
/// (arXiv 2010.05874).
class GradVac : public GradientCombiner {
 public:
  /// What has cosines of its own: the whole set of shared parameters, each layer (module), or each
  /// parameter.
  enum class Groups { whole, layer, parameter };
  struct Options {
    double beta = 0.5;  ///< in [0, 1]; LibMTL's default, the paper has 0.01
    Groups groups = Groups::whole;
    uint64_t seed = 0;                                  ///< of the order
    RowOrder order = {};                                ///< an order of one's own instead
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
  };
  GradVac() : GradVac(Options{}) {}
  explicit GradVac(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  double beta_;
  Groups groups_;
  RowOrders draws_;
  size_t group_ = 0;                  // the one that `weights` is working on
  std::vector<Eigen::MatrixXd> phi_;  // by group, indexed by the registry [T,T]
};

}  // namespace mtl
