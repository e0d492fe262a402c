#include "mtl/combine/solvers/simplex.hpp"

#include <algorithm>
#include <functional>

namespace mtl::solvers {

Eigen::VectorXd project_on_simplex(const Eigen::VectorXd& v) {
  // w = max(v - shift, 0), with the shift at which the largest entries alone sum to 1. Counted from
  // the largest, beside which that 1 might be lost.
  const Eigen::VectorXd below = v.array() - v.maxCoeff();
  Eigen::VectorXd sorted = below;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double sum = 0, shift = 0;
  for (Eigen::Index k = 0; k < sorted.size(); ++k) {
    sum += sorted[k];
    const double next = (sum - 1) / static_cast<double>(k + 1);
    if (sorted[k] <= next) break;
    shift = next;
  }
  return (below.array() - shift).max(0.0);
}

Eigen::VectorXd softmax(const Eigen::VectorXd& logits) {
  const Eigen::VectorXd e = (logits.array() - logits.maxCoeff()).exp();
  return e / e.sum();
}

Eigen::VectorXd through_softmax(const Eigen::VectorXd& p, const Eigen::VectorXd& x) {
  return p.cwiseProduct(x) - p.dot(x) * p;
}

}  // namespace mtl::solvers
