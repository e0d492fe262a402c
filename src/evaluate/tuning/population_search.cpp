#include "mtl/evaluate/tuning/population_search.hpp"

#include <algorithm>

namespace mtl::evaluate {

std::optional<Proposal> PopulationSearch::operator()(const SearchState& state) const {
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

std::vector<const TuningTrial*> PopulationSearch::generation_before(
    const SearchState& state) const {
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

}  // namespace mtl::evaluate
