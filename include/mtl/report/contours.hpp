#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "mtl/report/figure.hpp"

namespace mtl::report {

/// A walk through the plane; drawn with a ring at its first point and a star at its last. NaN
/// breaks the line.
struct Path {
  std::string name = {};
  std::vector<double> x = {}, y = {};
};

/// A surface by its contour lines, and walks on it.
struct ContourPanel {
  std::string title = {};
  Eigen::VectorXd x = {}, y = {};  ///< grid, ascending
  Eigen::MatrixXd z = {};          ///< [y, x]
  std::vector<Path> paths = {};
  Path front = {};  ///< a set to aim for (Pareto front), drawn as a thick grey line; may be empty
};

/// Panels side by side with common axes. A single panel gets a legend; in several, paths of one
/// place have one colour.
struct ContourPlot {
  std::string title = {}, x_label = "x", y_label = "y";
  int levels = 12;
  std::vector<ContourPanel> panels = {};
};
Figure contours(const ContourPlot& plot);

}  // namespace mtl::report
