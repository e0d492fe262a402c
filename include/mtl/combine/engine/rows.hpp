#pragma once

#include <torch/types.h>

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace mtl {

/// The Jacobian of T losses, kept by parameter: `rows[p][t]` is the gradient of loss t with respect
/// to parameter p and has that parameter's shape. An undefined tensor is a zero gradient. Rows are
/// never joined into one [T, P] tensor. Read only: an autograd graph may hand the same memory to
/// two parameters.
using Rows = std::vector<std::vector<torch::Tensor>>;

/// Indices into the parameters of `Rows`, one list a group.
using Groups = std::vector<std::vector<int64_t>>;

/// The rows of a dense `jacobian` [T, P], as views of one parameter of P elements.
Rows rows_of(const torch::Tensor& jacobian);

/// The rows of one parameter, an undefined one as zeros; empty where all are undefined.
std::vector<torch::Tensor> dense_rows(const std::vector<torch::Tensor>& of_parameter);

/// G [T, T] = J J^T. Products are taken over at most 32768 columns at a time and summed in double
/// precision: a single float product over 8 million columns is off by 1e-3, this by 5e-7. Rows too
/// small or too large for the square of a float are multiplied in double precision.
Eigen::MatrixXd gramian(const Rows& rows);

/// The Gramian [K, K] of the K combinations of rows that `combinations` [K, T] says.
Eigen::MatrixXd gramian_of(const Rows& rows, const Eigen::MatrixXd& combinations);

/// |g_t| of each row [T]; T passes over the rows, where `gramian` takes T^2.
Eigen::VectorXd norms(const Rows& rows);

/// J^T w by parameter, shaped like the parameter; undefined where no row reaches it.
std::vector<torch::Tensor> weighted_sum(const Rows& rows, const Eigen::VectorXd& weights);

/// J d [T] for a `direction` by parameter; undefined parts count as zero.
Eigen::VectorXd products(const Rows& rows, const std::vector<torch::Tensor>& direction);

/// J_1 J_2^T [T_1, T_2] of rows over the same parameters; undefined ones count as zero.
Eigen::MatrixXd products(const Rows& first, const Rows& second);

}  // namespace mtl
