#include "mtl/combine/solvers/scaling.hpp"

namespace mtl::solvers {

Eigen::VectorXd lengths(const Eigen::MatrixXd& gramian) { return gramian.diagonal().cwiseSqrt(); }

Eigen::MatrixXd scaled(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& factors) {
  return factors.asDiagonal() * gramian * factors.asDiagonal();
}

Eigen::VectorXd product(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& v) {
  return matrix * v;
}

double squared_length(const Eigen::MatrixXd& gramian, const Eigen::VectorXd& weights) {
  return weights.dot(gramian * weights);
}

}  // namespace mtl::solvers
