#pragma once

#include <functional>

#include <Eigen/Core>

namespace mtl::evaluate_detail {

/// A function's value at `point` [D], and its gradient [D].
using Slope = std::function<double(const Eigen::VectorXd& point, Eigen::VectorXd& gradient)>;

/// A local minimum of a smooth function within a box, from `start` inside it: quasi-Newton steps
/// (BFGS) in the coordinates that are not held by a bound, with backtracking. A value that is not
/// finite counts as no descent.
Eigen::VectorXd minimize_in_box(const Slope& function, const Eigen::VectorXd& start,
                                const Eigen::VectorXd& low, const Eigen::VectorXd& high,
                                int iterations);

}  // namespace mtl::evaluate_detail
