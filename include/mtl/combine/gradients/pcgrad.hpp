#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/row_order.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// Gradient surgery: from every task gradient, one after the other in random order, what opposes
/// another task is removed; then they are summed.
///     v_i = g_i;  for j != i in random order:  if v_i'g_j < 0:  v_i -= v_i'g_j / |g_j|^2 g_j
/// Yu et al., NeurIPS 2020 (arXiv 2001.06782).
class PcGrad : public GradientCombiner {
 public:
  static constexpr std::string_view name = "pcgrad";
  struct Options {
    uint64_t seed = 0;                                  ///< of the order
    RowOrder order = {};                                ///< an order of one's own instead
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.seed("seed", seed);
      describe_site(option, at, every);
    }
  };
  PcGrad() : PcGrad(Options{}) {}
  explicit PcGrad(const Options& options)
      : GradientCombiner({options.at, options.every}), orders_(options.seed, options.order) {}

  inline Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override;
  NamedTensors state_dict() const override {
    NamedTensors state = saved({});
    state.insert("draws", orders_.saved());
    return state;
  }
  void load_state_dict(const NamedTensors& state) override {
    RowOrders loaded = orders_;
    loaded.load(state_entry(state, "draws"));
    load(state, {}, {"draws"});
    orders_ = std::move(loaded);
  }

 private:
  RowOrders orders_;
};

inline Eigen::VectorXd PcGrad::weights(const Eigen::MatrixXd& gramian) {
  // v = J'x is carried as its weights x and its products Gx with the rows: O(T) for each change.
  const Eigen::Index n = gramian.rows();
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(n), x(n), products(n);
  std::vector<int64_t> order;
  for (Eigen::Index i = 0; i < n; ++i) {
    x.setZero();
    x[i] = 1;
    products = solvers::column(gramian, i);
    orders_.next(i, n, order);
    for (int64_t j : order) {
      if (j == i || products[j] >= 0) continue;
      const double step = products[j] / gramian(j, j);
      x[j] -= step;
      solvers::add_column(products, -step, gramian, j);
    }
    solvers::add(sum, 1, x);
  }
  return sum;
}

}  // namespace mtl
