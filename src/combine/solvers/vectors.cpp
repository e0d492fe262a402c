#include "mtl/combine/solvers/vectors.hpp"

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

double dot(const Eigen::VectorXd& a, const Eigen::VectorXd& b) { return a.dot(b); }

double length(const Eigen::VectorXd& v) { return v.norm(); }

Eigen::VectorXd times(double factor, const Eigen::VectorXd& v) { return factor * v; }

Eigen::VectorXd divided(const Eigen::VectorXd& v, double divisor) { return v / divisor; }

Eigen::VectorXd times(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  return a.cwiseProduct(b);
}

Eigen::VectorXd sum(const Eigen::VectorXd& v, double factor, const Eigen::VectorXd& w) {
  return v + factor * w;
}

void add(Eigen::VectorXd& v, double factor, const Eigen::VectorXd& w) { v += factor * w; }

void add_column(Eigen::VectorXd& v, double factor, const Eigen::MatrixXd& matrix, Eigen::Index j) {
  v += factor * matrix.col(j);
}

Eigen::VectorXd column(const Eigen::MatrixXd& matrix, Eigen::Index j) { return matrix.col(j); }

Eigen::VectorXd diagonal(const Eigen::MatrixXd& matrix) { return matrix.diagonal(); }

Eigen::VectorXd mean_of_columns(const Eigen::MatrixXd& matrix) { return matrix.rowwise().mean(); }

Eigen::MatrixXd without_first(const Eigen::MatrixXd& matrix) {
  return matrix.bottomRightCorner(matrix.rows() - 1, matrix.cols() - 1);
}

namespace {

using ByRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

Eigen::MatrixXd from_rows(const double* numbers, Eigen::Index rows, Eigen::Index columns) {
  return Eigen::Map<const ByRows>(numbers, rows, columns);
}

void to_rows(const Eigen::MatrixXd& matrix, double* numbers) {
  Eigen::Map<ByRows>(numbers, matrix.rows(), matrix.cols()) = matrix;
}

}  // namespace mtl::solvers
