#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/io/json.hpp"
#include "study.hpp"

namespace pets {

/// Everything that one call of the program found out.
struct Findings {
  std::string title;
  std::vector<std::string> breeds;
  Lambdas lambdas;
  std::vector<uint64_t> seeds;
  std::vector<Trained> runs, baseline;   ///< one a seed; the baseline may be empty
  std::vector<mtl::Tensor> true_breeds;  ///< of the test pictures, by seed
  std::optional<Comparison> comparison;
  std::vector<Trial> trials;  ///< of tuning, the best first
  std::vector<std::string> warnings;
  /// Picture and name of a test picture of the first seed, for the sheet of mistakes.
  std::function<mtl::Tensor(int64_t)> test_picture;
  std::function<std::string(int64_t)> test_name;
};

/// Counts of true breed (row) against predicted breed (column) over the test pictures of all seeds,
/// int64 [C, C].
mtl::Tensor confusion(const std::vector<Trained>& runs, const std::vector<mtl::Tensor>& true_breeds,
                      int64_t breeds);

struct ConfusedPair {
  int64_t first = 0, second = 0;  ///< breeds
  int64_t count = 0;              ///< one taken for the other, either way
};
/// The pairs most often confused, the worst first; none with a count of 0.
std::vector<ConfusedPair> most_confused(const mtl::Tensor& confusion, int64_t most);

/// The fixed keys "validation", "test", "baseline" and "comparison" (null where it was not asked
/// for), means over the seeds, and beside them "lambda", "seeds" and "repeats".
mtl::io::Json metrics_json(const Findings& findings);

/// A few lines for people: accuracies with deviation, and whether the auxiliary tasks helped.
std::string summary(const Findings& findings);

/// Writes metrics.json, history.csv, confusion.csv, predictions.csv and report.html with its
/// pictures into the folder. Returns false where gnuplot is missing and the report has no pictures.
bool write(const Findings& findings, const std::filesystem::path& folder);

/// "ear erect 0.93, hair short 0.88, figure normal 0.71": the trait with the highest score of each
/// group.
std::string trait_text(const mtl::NamedTensors& predictions, int64_t row);

}  // namespace pets
