#include "mtl/combine/solvers/constrained.hpp"

#include <algorithm>
#include <cmath>

#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/core/error.hpp"

namespace mtl::solvers {
namespace {

// q has unit length here.
struct Shifted {
  const Eigen::MatrixXd& gramian;
  const Eigen::VectorXd& products;
  double demand;

  Eigen::VectorXd weights(double nu) const {
    Eigen::MatrixXd g = gramian;
    g.colwise() += nu * products;
    g.rowwise() += nu * products.transpose();
    g.array() += nu * nu;
    return min_norm_point(g).weights;
  }
  /// How much q falls beyond the demand at the best weights for nu; grows with nu.
  double surplus(double nu) const { return weights(nu).dot(products) + nu - demand; }
};

// Where the surplus turns positive between `low` (negative) and `high`: false position, halving the
// value of an end that stays twice (Dowell, Jarratt, BIT 1971).
double root(const Shifted& at, double low, double below, double high, double above) {
  bool low_stayed = false, high_stayed = false;
  for (int round = 0; round < 100 && high - low > 1e-15 * high; ++round) {
    double middle = (low * above - high * below) / (above - below);
    if (!(middle > low && middle < high)) middle = 0.5 * (low + high);
    if (!(middle > low && middle < high)) break;
    const double found = at.surplus(middle);
    if (found == 0) return middle;
    if (found < 0) {
      low = middle;
      below = found;
      if (high_stayed) above *= 0.5;
    } else {
      high = middle;
      above = found;
      if (low_stayed) below *= 0.5;
    }
    high_stayed = found < 0;
    low_stayed = !high_stayed;
  }
  return high;
}

}  // namespace

ConstrainedPoint constrained_min_norm(const Eigen::MatrixXd& gramian,
                                      const Eigen::VectorXd& products, double squared,
                                      double demand) {
  if (products.size() != gramian.rows() || !products.allFinite() || !std::isfinite(squared) ||
      !std::isfinite(demand))
    throw Error("constrained_min_norm: {} products for {} rows, or one that is not finite",
                products.size(), gramian.rows());
  const double length = std::sqrt(std::max(squared, 0.0));
  if (!(length > 0) || products.size() == 0) return {min_norm_point(gramian).weights, 0};
  const Eigen::VectorXd along = products / length;
  const Shifted at{gramian, along, demand / length};
  // At this nu every weighting meets the demand.
  const double most = at.demand - along.minCoeff();
  if (!(most > 0)) return {at.weights(0), 0};
  const double below = at.surplus(0);
  if (below >= 0) return {at.weights(0), 0};
  const double above = at.surplus(most);
  const double nu = above > 0 ? root(at, 0, below, most, above) : most;
  return {at.weights(nu), nu / length};
}

}  // namespace mtl::solvers
