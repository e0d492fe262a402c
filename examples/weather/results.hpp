#pragma once

#include "network.hpp"

// How good predictions are, and how good one is without a network. Predictions are those of a
// part's days: temp and rh [N] float64 in degrees and per cent, weather [N, classes] scores.

namespace weather {

using mtl::io::Json;

/// What predictions are judged by, in units; the first metric of a task is the one that counts.
std::vector<mtl::Task> judged_tasks();

/// Task -> metric -> value, of the tasks that are predicted.
/// temp, rh: mae and rmse in units, nmae = mae / (largest - smallest true value).
/// weather: accuracy, balanced_accuracy, macro_f1.
Json score(const mtl::Predictions& found);

/// A way to predict, by name, and its scores on the validation part.
struct Method {
  std::string name;
  Json scores;
};

/// persistence: tomorrow is like today.
/// majority: the most frequent weather of the training part; nothing about temperature and
///   humidity.
/// ridge: regression from the article's inputs of 14 days, flattened; classes by the largest of one
///   regression each. The penalty of each task is the one of 1, 10, .. 10000 that does best on the
///   last fifth of the training windows.
std::vector<Method> baselines(const Parts& parts);

/// Method by temperature MAE, humidity MAE and accuracy.
mtl::report::TextTable comparison(const std::vector<Method>& methods);
/// A table with columns in line.
std::string text_of(const mtl::report::TextTable& table);

/// What Doubt::judge found, for people.
mtl::report::TextTable doubt_table(const Json& judged);

/// The pictures and report.html, all in `directory`. Where gnuplot is not installed the report has
/// no pictures and says so.
void write_report(const std::filesystem::path& directory, const std::string& title,
                  const Trained& trained, const Part& validation,
                  const std::vector<Method>& methods, const std::vector<std::string>& warnings);

}  // namespace weather
