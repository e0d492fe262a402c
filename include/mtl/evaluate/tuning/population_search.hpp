#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/evaluate/tuning/random_search.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"

namespace mtl::evaluate {

/// Population-based training: so many models train side by side, for a while each with settings of
/// its own; then those of the worst quarter are replaced by copies of those of the best, with
/// settings that are changed a little. So weights of losses become a schedule over training.
///
/// A trial is one model for one such while. `candidate.parent` is the trial whose weights it begins
/// with (none in the first generation): save what a trial has trained under its number, and load
/// the parent's. A generation can be asked for as a whole; the next when all of it is told.
/// Jaderberg et al., "Population based training of neural networks", 2017 (arXiv 1711.09846).
/// Error: options that make no sense; asking for the next generation too early.
struct PopulationSearch {
  int64_t members = 8;
  double share = 0.25;     ///< of the members is replaced, by as many of the best
  double factor = 1.2;     ///< a copy's numbers are multiplied or divided by it
  double resample = 0.25;  ///< the chance that a copy's setting is drawn anew instead

  void check_options(const SearchSpace& /*space*/, int64_t /*trials*/) const {
    if (members < 2 || !(share > 0 && share <= 0.5) || !(factor > 1) ||
        !(resample >= 0 && resample <= 1))
      throw Error(
          "PopulationSearch: members = {}, share = {}, factor = {}, resample = {}; expected at "
          "least 2, up to 0.5, above 1, and a chance",
          members, share, factor, resample);
  }

  std::optional<Proposal> operator()(const SearchState& state) const;

 private:
  std::vector<const TuningTrial*> generation_before(const SearchState& state) const;

  double changed(const Dimension& dimension, double value, uint64_t seed) const {
    if (evaluate_detail::uniform(seed, 0) < resample)
      return SearchSpace::value_at(dimension, evaluate_detail::uniform(seed, 1));
    if (!dimension.choices.empty()) return value;
    const bool up = evaluate_detail::uniform(seed, 2) < 0.5;
    double next = up ? value * factor : value / factor;
    // A small whole number would stay what it is.
    if (dimension.whole && std::round(next) == value) next = up ? value + 1 : value - 1;
    return SearchSpace::allowed(dimension, next);
  }
};

}  // namespace mtl::evaluate
