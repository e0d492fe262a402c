#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "mtl/report/figure.hpp"

namespace mtl::report {

/// Counts of truth (rows) against prediction (columns), shaded by their share of the row, with the
/// accuracy in the title. Grows with the number of classes, so that the counts stay readable.
struct ConfusionChart {
  std::string title = {};  ///< "Weather, validation"
  std::vector<std::string> class_names = {};
  Eigen::MatrixXd counts = {};  ///< [C, C], as mtl::confusion_matrix counts them
};
Figure confusion_chart(const ConfusionChart& chart);

/// Cosines between the tasks' gradients, [T, T], from -1 (conflict) to 1; NaN cells (a task without
/// labels) stay empty.
Figure cosine_heat_map(const std::string& title, const std::vector<std::string>& task_names,
                       const Eigen::MatrixXd& cosines);

}  // namespace mtl::report
