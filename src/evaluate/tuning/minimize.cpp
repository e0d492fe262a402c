#include "minimize.hpp"

#include <algorithm>
#include <cmath>

namespace mtl::evaluate_detail {

Eigen::VectorXd minimize_in_box(const Slope& function, const Eigen::VectorXd& start,
                                const Eigen::VectorXd& low, const Eigen::VectorXd& high,
                                int iterations) {
  using Eigen::VectorXd;
  const Eigen::Index size = start.size();
  VectorXd point = start, gradient(size), next_gradient(size);
  double value = function(point, gradient);
  Eigen::MatrixXd inverse = Eigen::MatrixXd::Identity(size, size);  // of the Hessian
  bool fresh = true;                                                // the identity still
  for (int iteration = 0; iteration < iterations; ++iteration) {
    // Coordinates at a bound that the descent would leave the box by stay there.
    VectorXd free = VectorXd::Ones(size);
    for (Eigen::Index d = 0; d < size; ++d)
      if ((point[d] <= low[d] && gradient[d] > 0) || (point[d] >= high[d] && gradient[d] < 0))
        free[d] = 0;
    const VectorXd slope = gradient.cwiseProduct(free);
    if (!(slope.cwiseAbs().maxCoeff() > 1e-7)) break;
    VectorXd step = -(inverse * slope).cwiseProduct(free);
    if (fresh || !(step.dot(slope) < 0)) step = -slope / std::max(1.0, slope.norm());
    double length = 1;
    VectorXd next;
    double next_value = 0;
    bool descended = false;
    for (int halvings = 0; halvings < 20 && !descended; ++halvings, length /= 2) {
      next = (point + length * step).cwiseMax(low).cwiseMin(high);
      next_value = function(next, next_gradient);
      descended = next_value <= value + 1e-4 * slope.dot(next - point) && next_value < value;
    }
    if (!descended) {
      if (fresh) break;
      inverse.setIdentity();
      fresh = true;
      continue;
    }
    const VectorXd moved = next - point, turned = next_gradient - gradient;
    const double curvature = moved.dot(turned);
    if (curvature > 1e-12 * moved.norm() * turned.norm()) {
      if (fresh) inverse *= curvature / turned.squaredNorm();
      const VectorXd image = inverse * turned;
      inverse += (1 + turned.dot(image) / curvature) / curvature * moved * moved.transpose() -
                 (image * moved.transpose() + moved * image.transpose()) / curvature;
      fresh = false;
    }
    const double gained = value - next_value;
    point = next;
    value = next_value;
    gradient = next_gradient;
    if (gained < 1e-10 * (1 + std::abs(value))) break;
  }
  return point;
}

}  // namespace mtl::evaluate_detail
