#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/report/figure.hpp"

namespace mtl::report {

/// How sure answers were, and whether they were right.
struct ReliabilityChart {
  std::string title = {};  ///< "Weather, validation"
  /// [N] each: the probability that was given to the answer (or to a yes), and 1 where it was right
  /// (a yes), else 0; soft truths in between are welcome. A pair with a NaN is left out.
  std::vector<double> probability = {}, right = {};
  int64_t bins = 10;  ///< of equal width between 0 and 1
  std::string x_label = "probability given to the answer", y_label = "share of right answers";
};

/// Calibration: by bin how often the answers were right beside how sure they were, with Wilson's
/// 95 % interval, and the line on which both are the same; below it how many answers a bin has. The
/// title tells the expected calibration error (as mtl::CalibrationError for class scores).
/// Error: no pair, another number of each, a probability outside [0, 1], no bin.
Figure reliability_chart(const ReliabilityChart& chart);

}  // namespace mtl::report
