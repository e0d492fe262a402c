#pragma once

#include <string>
#include <vector>

#include "mtl/report/figure.hpp"

namespace mtl::report {

/// Predictions of one real value beside the truth, in the unit that a reader knows. The pictures
/// state the mean absolute error (MAE) over the samples that have both. Error: there is none.
struct PredictionPlot {
  std::string title = {};                           ///< "Temperature, validation"
  std::string quantity = "value", unit = {};        ///< "temperature", "°C"
  std::vector<double> truth = {}, prediction = {};  ///< [N] each; NaN: missing, drawn as a gap
  std::string x_label = "sample";
  /// When each sample happened, seconds since 1970 (UTC), ascending; empty: samples are counted.
  std::vector<double> times = {};
};

/// Truth and prediction along time; long series get a second panel with their last part.
Figure prediction_series(const PredictionPlot& predictions);

/// Prediction against truth, with the line of perfect prediction.
Figure prediction_scatter(const PredictionPlot& predictions);

}  // namespace mtl::report
