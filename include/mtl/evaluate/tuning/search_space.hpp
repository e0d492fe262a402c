#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"

namespace mtl::evaluate {

/// One thing to be tuned: a number between two bounds, both of which count, or one of several
/// names.
struct Dimension {
  std::string name;
  double low = 0, high = 1;
  bool log = false;                       ///< spread evenly over orders of magnitude; low > 0
  bool whole = false;                     ///< integers only
  std::vector<std::string> choices = {};  ///< in place of bounds; names without an order
};

/// What to try: a value for every dimension.
struct Candidate {
  struct Setting {
    std::string name;
    double value = 0;  ///< of choices: the place
    std::string text;  ///< as the log has it, and command lines and `make_combiner` take it
  };
  int64_t trial = 0;                   ///< its number, from 0
  std::optional<int64_t> parent = {};  ///< the trial whose weights it goes on from (populations)
  std::vector<Setting> settings;

  /// Error, in both: there is no such dimension; the text lists those that there are.
  double at(std::string_view name) const { return setting(name).value; }
  const std::string& text(std::string_view name) const { return setting(name).text; }

 private:
  const Setting& setting(std::string_view name) const {
    std::string known;
    for (const Setting& setting : settings) {
      if (setting.name == name) return setting;
      known += (known.empty() ? "" : ", ") + setting.name;
    }
    throw Error("trial {} has no \"{}\"; there are {}", trial, name, known);
  }
};

/// The dimensions that are tuned together. Within the library a point of the space is a list of
/// values, one a dimension (of choices: the place), or lies in the unit cube, where a dimension's
/// scale is even.
/// Error: no dimension, one without a name or with another's, bounds that make no sense.
class SearchSpace {
 public:
  SearchSpace(std::initializer_list<Dimension> dimensions)
      : SearchSpace(std::vector<Dimension>(dimensions)) {}
  SearchSpace(std::vector<Dimension> dimensions);

  size_t size() const { return dimensions_.size(); }
  const std::vector<Dimension>& dimensions() const { return dimensions_; }

  /// How many values a dimension has; none where they have no end.
  static std::optional<int64_t> count(const Dimension& dimension) {
    if (!dimension.choices.empty()) return static_cast<int64_t>(dimension.choices.size());
    if (dimension.whole) return static_cast<int64_t>(dimension.high - dimension.low) + 1;
    return {};
  }

  /// The values at a point of the unit cube.
  std::vector<double> values_at(std::span<const double> point) const {
    std::vector<double> values(size());
    for (size_t d = 0; d < size(); ++d) values[d] = value_at(dimensions_[d], point[d]);
    return values;
  }
  static double value_at(const Dimension& dimension, double share) {
    const auto [low, high] = ends(dimension);
    if (!count(dimension) && share <= 0) return dimension.low;  // not what rounding leaves of it
    if (!count(dimension) && share >= 1) return dimension.high;
    const double at = std::lerp(low, high, std::clamp(share, 0.0, 1.0));
    const double value = dimension.log ? std::exp(at) : at;
    return allowed(dimension, value);
  }

  /// The other way; of a whole number and of a choice the middle of what becomes it.
  std::vector<double> point_of(std::span<const double> values) const {
    std::vector<double> point(size());
    for (size_t d = 0; d < size(); ++d) {
      const Dimension& dimension = dimensions_[d];
      const auto [low, high] = ends(dimension);
      const double at = dimension.log ? std::log(values[d]) : values[d];
      point[d] = std::clamp((at - low) / (high - low), 0.0, 1.0);
    }
    return point;
  }

  /// The nearest value that the dimension has.
  static double allowed(const Dimension& dimension, double value) {
    const auto several = count(dimension);
    const double low = dimension.choices.empty() ? dimension.low : 0;
    const double high =
        dimension.choices.empty() ? dimension.high : static_cast<double>(*several - 1);
    return std::clamp(several ? std::round(value) : value, low, high);
  }

  std::string text_of(size_t d, double value) const {
    const Dimension& dimension = dimensions_[d];
    if (!dimension.choices.empty()) return dimension.choices[static_cast<size_t>(value)];
    return io::csv_number(value);
  }
  /// What `text_of` wrote; none where the dimension has no such value.
  std::optional<double> value_of(size_t d, std::string_view text) const {
    const Dimension& dimension = dimensions_[d];
    const auto& choices = dimension.choices;
    if (!choices.empty()) {
      const auto place = std::find(choices.begin(), choices.end(), text);
      if (place == choices.end()) return {};
      return static_cast<double>(place - choices.begin());
    }
    double value = 0;
    if (!io::parse_number(text, value) || allowed(dimension, value) != value) return {};
    return value;
  }

  Candidate candidate(int64_t trial, const std::vector<double>& values,
                      std::optional<int64_t> parent = {}) const;

 private:
  static void check(const Dimension& dimension);

  /// Where the unit interval begins and ends on the dimension's scale. Each whole number and each
  /// choice has its share on both sides, the outer ones too.
  static std::pair<double, double> ends(const Dimension& dimension) {
    const auto several = count(dimension);
    double low = dimension.low, high = dimension.high;
    if (!dimension.choices.empty()) low = 0, high = static_cast<double>(*several - 1);
    if (several) low -= 0.5, high += 0.5;
    return dimension.log ? std::pair(std::log(low), std::log(high)) : std::pair(low, high);
  }

  std::vector<Dimension> dimensions_;
};

}  // namespace mtl::evaluate
