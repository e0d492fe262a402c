#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "golden.hpp"

/// Golden values as Eigen's types, and how good they are.
namespace golden_values {

/// null stands for NaN.
inline double number(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

inline Eigen::VectorXd vector(const nlohmann::json& values) {
  Eigen::VectorXd result(static_cast<Eigen::Index>(values.size()));
  for (Eigen::Index i = 0; i < result.size(); ++i) result[i] = number(values[i]);
  return result;
}

inline Eigen::MatrixXd matrix(const nlohmann::json& rows) {
  Eigen::MatrixXd result(static_cast<Eigen::Index>(rows.size()),
                         static_cast<Eigen::Index>(rows.at(0).size()));
  for (Eigen::Index i = 0; i < result.rows(); ++i) result.row(i) = vector(rows[i]).transpose();
  return result;
}

/// What the golden values are good to, as an absolute bound on the entries of a direction.
inline double tolerance(const std::string& matrix_name, const std::string& method,
                        const Eigen::MatrixXd& jacobian, const Eigen::VectorXd& direction) {
  const auto is = [&](const char* part) { return matrix_name.find(part) != std::string::npos; };
  const bool hard = is("nearly_parallel") || is("opposed") || is("unequal_norms");
  const double relative = hard || method.starts_with("cagrad") ? 1e-6 : 1e-9;
  return relative *
         std::max(direction.cwiseAbs().maxCoeff(), 1e-2 * jacobian.cwiseAbs().maxCoeff());
}

}  // namespace golden_values
