#pragma once

#include <algorithm>
#include <cmath>
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
inline Figure loss_curves(const TrainingRun& run) {
  std::vector<LossCurves> panels{{"total", {}, {}}};
  for (const auto& task : run.history.tasks) panels.push_back({task, {}, {}});
  for (const EpochRecord& epoch : run.history.epochs) {
    const auto add = [&](const SplitRecord& part, std::vector<double> LossCurves::*values) {
      if (part.losses.empty()) return;  // no validation
      (panels[0].*values).push_back(part.total);
      for (size_t t = 0; t < part.losses.size(); ++t)
        (panels[t + 1].*values).push_back(part.losses[t]);
    };
    add(epoch.train, &LossCurves::train);
    add(epoch.valid, &LossCurves::validation);
  }
  std::erase_if(panels, [](const LossCurves& panel) {
    const auto is_finite = [](double value) { return std::isfinite(value); };
    return std::none_of(panel.train.begin(), panel.train.end(), is_finite) &&
           std::none_of(panel.validation.begin(), panel.validation.end(), is_finite);
  });
  return loss_curves("Loss by epoch", panels, run.best_epoch);
}

/// Several series in one plot: combiner weights over time, learning rates, metrics.
struct LinePlot {
  std::string title = {};
  std::string x_label = "epoch", y_label = {};
  std::vector<double> x = {};  ///< one for each value of every series; empty: 1, 2, 3, ...
  std::vector<Series> series = {};
};
Figure lines(const LinePlot& plot);

}  // namespace mtl::report
