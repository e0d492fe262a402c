#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"

namespace mtl::evaluate {

/// Tries all combinations of so many values a dimension, evenly on its scale, both bounds among
/// them; all choices; of whole numbers no more than there are. The last dimension changes first.
/// Error: fewer than 2 steps, or more combinations than the search may try.
struct GridSearch {
  int64_t steps = 5;

  void check_options(const SearchSpace& space, int64_t trials) const {
    if (steps < 2) throw Error("GridSearch: steps = {}, expected at least 2", steps);
    int64_t combinations = 1;
    for (const Dimension& dimension : space.dimensions()) {
      combinations *= static_cast<int64_t>(values_of(dimension).size());
      if (combinations > trials)
        throw Error(
            "GridSearch: {} steps in each of {} dimensions make more combinations than the {} "
            "trials of the search; allow more trials, or take fewer steps",
            steps, space.size(), trials);
    }
  }

  std::optional<Proposal> operator()(const SearchState& state) const {
    int64_t rest = state.next - state.given;
    std::vector<double> values(state.space.size());
    for (size_t d = values.size(); d-- > 0;) {
      const std::vector<double> all = values_of(state.space.dimensions()[d]);
      const auto count = static_cast<int64_t>(all.size());
      values[d] = all[static_cast<size_t>(rest % count)];
      rest /= count;
    }
    if (rest > 0) return {};
    return Proposal{std::move(values)};
  }

 private:
  int64_t steps_of(const Dimension& dimension) const {
    const int64_t all = SearchSpace::count(dimension).value_or(steps);
    return dimension.choices.empty() ? std::min(steps, all) : all;
  }

  /// By rising place; on a log scale several places may come to one whole number.
  std::vector<double> values_of(const Dimension& dimension) const {
    const int64_t count = steps_of(dimension);
    std::vector<double> values;
    for (int64_t place = 0; place < count; ++place) {
      const double value = value_of(dimension, place, count);
      if (values.empty() || value != values.back()) values.push_back(value);
    }
    return values;
  }

  static double value_of(const Dimension& dimension, int64_t place, int64_t count) {
    if (!dimension.choices.empty()) return static_cast<double>(place);
    const double share = static_cast<double>(place) / static_cast<double>(count - 1);
    if (place == 0) return dimension.low;
    if (place == count - 1) return dimension.high;
    const double value =
        dimension.log
            ? std::exp(std::lerp(std::log(dimension.low), std::log(dimension.high), share))
            : std::lerp(dimension.low, dimension.high, share);
    return SearchSpace::allowed(dimension, value);
  }
};

}  // namespace mtl::evaluate
