#pragma once

#include <string>
#include <vector>

#include "mtl/report/figure.hpp"

namespace mtl::report {

/// PredictionPlot of one real value beside the truth, in the unit that a reader knows.
struct PredictionPlot {
  std::string title = {};                           ///< "Temperature, validation"
  std::string quantity = "value", unit = {};        ///< "temperature", "°C"
  std::vector<double> truth = {}, prediction = {};  ///< [N] each; NaN: missing, drawn as a gap
  std::string x_label = "sample";
  /// When each sample happened, seconds since 1970 (UTC), ascending; empty: samples are counted.
  std::vector<double> times = {};
};

/// Mean absolute error over the samples that have both values; NaN where there is none.
double mean_absolute_error(const PredictionPlot& predictions);

/// Truth and prediction along time; long series get a second panel with their last part. The title
/// states the MAE.
Figure prediction_series(const PredictionPlot& predictions);

/// Prediction against truth, with the line of perfect prediction. The title states the MAE.
Figure prediction_scatter(const PredictionPlot& predictions);

}  // namespace mtl::report
