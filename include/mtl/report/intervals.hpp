#pragma once

#include <limits>
#include <string>
#include <vector>

#include "mtl/report/figure.hpp"

namespace mtl::report {

/// A value with the ends of its confidence interval; both NaN: none is known.
struct Estimate {
  std::string name = {};
  double value = 0;
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;
};

/// Values under each other with their intervals, first on top. With `zero_line` the line of "no
/// difference" is drawn.
struct IntervalChart {
  std::string title = {}, x_label = {};
  std::vector<Estimate> estimates = {};
  bool zero_line = false;
};
Figure interval_chart(const IntervalChart& chart);

}  // namespace mtl::report
