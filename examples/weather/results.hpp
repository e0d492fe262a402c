#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mtl/io/json.hpp"
#include "training.hpp"

// What a run leaves behind for programs and for people.

namespace weather {

/// One line of the comparison.
struct Compared {
  std::string name;
  Scores scores;
};

/// persistence, majority and ridge regression.
std::vector<Compared> baselines(const Parts& parts);

/// {"tasks", "recipes", "baselines", "epochs", "best_epoch", "seconds_per_epoch"}: `main` and
/// beside it, under "recipes", `other` where there is one.
mtl::io::Json metrics_json(const Trained& main, const Trained* other,
                           const std::vector<Compared>& baselines);

/// Method by temperature MAE, humidity MAE and accuracy: rows of text under a header.
std::vector<std::vector<std::string>> comparison(const std::vector<Compared>& rows);
/// The same with columns in line.
std::string comparison_text(const std::vector<Compared>& rows);

/// The pictures as PNG files and report.html, all in `directory`. Where gnuplot is not installed
/// the report has no pictures and says so.
void write_report(const std::filesystem::path& directory, const std::string& title,
                  const Trained& trained, const std::vector<Compared>& rows,
                  const std::vector<std::string>& warnings);

}  // namespace weather
