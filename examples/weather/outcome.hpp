#pragma once

#include <string>
#include <vector>

#include "days.hpp"

// What was predicted, how good that is, and how good it is without a network.

namespace weather {

/// Predictions beside the truth for N days, in degrees, per cent and class indices.
struct Outcome {
  std::vector<Date> dates;         // [N], the days predicted
  mtl::Tensor true_temp, true_rh;  // [N] float64, NaN: missing
  mtl::Tensor true_weather;        // [N] int64, -100: missing
  mtl::Tensor temp, rh;            // [N] float64; undefined: says nothing about it
  mtl::Tensor weather;             // [N, classes] scores; undefined: says nothing about it
};

/// The truth of every window's day, with nothing predicted.
Outcome truth_of(const Days& days, const mtl::LabelEncoder& classes);

/// Metric by name, by task (temp, rh, weather); a task that nothing was predicted of is not there.
/// temp, rh: mae and rmse in units, nmae = mae / (largest - smallest true value).
/// weather: accuracy, balanced_accuracy, macro_f1.
using Scores = std::vector<std::pair<std::string, std::vector<std::pair<std::string, double>>>>;
Scores score(const Outcome& outcome);
/// NaN where it is not there.
double score_of(const Scores& scores, std::string_view task, std::string_view metric);

/// Tomorrow is like today.
Outcome persistence(const Parts& parts);
/// The most frequent weather of the training part's targets. Says nothing about temperature and
/// humidity.
Outcome majority(const Parts& parts);
/// Ridge regression from the article's inputs of 14 days, flattened; classes by the largest of one
/// regression each. The penalty of each task is the one of 1, 10, .. 10000 that does best on the
/// last fifth of the training windows.
Outcome ridge(const Parts& parts);

}  // namespace weather
