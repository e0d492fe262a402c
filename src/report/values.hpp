#pragma once

// What figures tell programs about themselves: Figure::values.

#include <Eigen/Core>
#include <nlohmann/json.hpp>
#include <string>

#include "mtl/io/json.hpp"

namespace mtl::report {

/// Rows of a matrix.
inline io::Json json_of(const Eigen::MatrixXd& matrix) {
  io::Json rows = io::Json::array();
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    io::Json row = io::Json::array();
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) row.push_back(matrix(i, j));
    rows.push_back(std::move(row));
  }
  return rows;
}

/// On one line. NaN is null.
inline std::string values_text(const io::Json& json) { return io::json_text(json, -1); }

}  // namespace mtl::report
