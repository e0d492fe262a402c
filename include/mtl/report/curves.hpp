#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/report/figure.hpp"
#include "mtl/train/training_run.hpp"

namespace mtl::report {

/// One value an epoch (or step); NaN leaves a gap.
struct Series {
  std::string name = {};
  std::vector<double> values = {};
};

/// One panel of loss curves.
struct LossCurves {
  std::string title = {};                           ///< "total", or the task's name
  std::vector<double> train = {}, validation = {};  ///< one value an epoch; either may be empty
};

/// Loss by epoch, a panel for each entry, the best epoch (counted from 1; 0: none) marked in each.
/// A panel whose values are positive and span more than two decades gets a logarithmic axis.
/// Nothing to draw in a panel is an `Error`.
Figure loss_curves(const std::string& title, const std::vector<LossCurves>& panels,
                   int64_t best_epoch = 0);

/// The losses of a run: a panel for the total, one for each task that has a value.
/// Error: none has.
Figure loss_curves(const TrainingRun& run);

/// Several series in one plot: combiner weights over time, learning rates, metrics.
struct LinePlot {
  std::string title = {};
  std::string x_label = "epoch", y_label = {};
  std::vector<double> x = {};  ///< one for each value of every series; empty: 1, 2, 3, ...
  std::vector<Series> series = {};
};
Figure lines(const LinePlot& plot);

}  // namespace mtl::report
