#pragma once

#include "study.hpp"

namespace pets {

/// Everything that one call of the program found out.
struct Findings {
  std::string title = {};
  std::vector<std::string> breeds = {}, warnings = {};
  std::vector<mtl::evaluate::TuningTrial> trials = {};  ///< of the lambdas, the best first
  Lambdas lambdas = tuned_lambdas;
  std::vector<uint64_t> seeds = {};
  std::vector<Trained> runs = {}, baseline = {};       ///< one a seed; the baseline may be empty
  std::function<std::string(int64_t)> test_name = {};  ///< of the first seed, as the next one
  std::function<mtl::Tensor(int64_t)> test_picture = {};
};

using ConfusedPair = std::pair<int64_t, int64_t>;
/// The breeds most often taken for each other, either way, the worst pair first.
std::vector<ConfusedPair> most_confused(const mtl::Tensor& confusion, int64_t most);

/// Writes history.csv, confusion.csv, predictions.csv, report.html with its pictures, and at last
/// metrics.json; returns a few lines for people.
std::string write(const Findings& findings, const std::filesystem::path& folder);

/// "ear erect 0.93, hair short 0.88, figure normal 0.71": the best trait of each group.
std::string trait_text(const mtl::NamedTensors& predictions, int64_t row);

}  // namespace pets
