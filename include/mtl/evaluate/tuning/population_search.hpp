#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
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

  std::optional<Proposal> operator()(const SearchState& state) const {
    if (state.next < members) return RandomSearch{}(state);
    const std::vector<const TuningTrial*> best_first = generation_before(state);
    const int64_t own = state.next - members;
    const auto rank = static_cast<int64_t>(
        std::find_if(best_first.begin(), best_first.end(),
                     [&](const TuningTrial* trial) { return trial->trial == own; }) -
        best_first.begin());
    const auto replaced =
        std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(members)));
    if (rank < members - replaced)
      return Proposal{best_first[static_cast<size_t>(rank)]->values, own};
    const uint64_t seed = mix_seed(state.seed, static_cast<uint64_t>(state.next));
    const auto drawn =
        static_cast<size_t>(evaluate_detail::uniform(seed, 0) * static_cast<double>(replaced));
    const TuningTrial& copied = *best_first[drawn];
    Proposal proposal{copied.values, copied.trial};
    for (size_t d = 0; d < proposal.values.size(); ++d)
      proposal.values[d] =
          changed(state.space.dimensions()[d], copied.values[d], mix_seed(seed, d + 1));
    return proposal;
  }

 private:
  std::vector<const TuningTrial*> generation_before(const SearchState& state) const {
    const int64_t first = (state.next / members - 1) * members;
    std::vector<const TuningTrial*> generation;
    std::string missing;
    for (int64_t n = first; n < first + members; ++n) {
      const auto place = std::find_if(state.trials.begin(), state.trials.end(),
                                      [&](const TuningTrial& trial) { return trial.trial == n; });
      if (place == state.trials.end() || place->state == TrialState::running)
        missing += (missing.empty() ? "" : ", ") + std::to_string(n);
      else
        generation.push_back(&*place);
    }
    if (!missing.empty())
      throw Error(
          "PopulationSearch: trial {} needs all of the generation before; tell first how these "
          "trials ended: {}",
          state.next, missing);
    std::stable_sort(generation.begin(), generation.end(), [&](const auto* a, const auto* b) {
      return evaluate_detail::cost(a->score, state.better) <
             evaluate_detail::cost(b->score, state.better);
    });
    return generation;
  }

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
