#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mtl/core/random.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"

namespace mtl::evaluate_detail {

/// A number in [0, 1) that (seed, number) stands for.
inline double uniform(uint64_t seed, uint64_t number) {
  return static_cast<double>(mix_seed(seed, number) >> 11) * 0x1p-53;
}

}  // namespace mtl::evaluate_detail

namespace mtl::evaluate {

/// Draws every value by itself, evenly on the dimension's scale. What others are measured by, and
/// better than a grid where few of many dimensions matter. Bergstra and Bengio, JMLR 13 (2012).
struct RandomSearch {
  std::optional<Proposal> operator()(const SearchState& state) const {
    const uint64_t seed = mix_seed(state.seed, static_cast<uint64_t>(state.next));
    std::vector<double> point(state.space.size());
    for (size_t d = 0; d < point.size(); ++d) point[d] = evaluate_detail::uniform(seed, d);
    return Proposal{state.space.values_at(point)};
  }
};

}  // namespace mtl::evaluate
