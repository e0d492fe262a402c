#pragma once

#include <string>

#include "mtl/evaluate/pareto_sweep.hpp"
#include "mtl/report/figure.hpp"

namespace mtl::report {

/// What models of different preferences reached, a panel for each pair of tasks: every model a
/// point in its method's colour, those that no other beats everywhere ringed, and with two tasks
/// the front as steps.
/// Error: fewer than 2 or more than 4 tasks, no finite point.
Figure trade_off_chart(const evaluate::Front& front,
                       const std::string& title = "What can be had of one task for another");

}  // namespace mtl::report
