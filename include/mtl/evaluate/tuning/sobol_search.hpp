#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"

namespace mtl::evaluate {

/// Point `index` of Sobol's sequence in `dimensions` dimensions, 1 to 64, each number in [0, 1):
/// points that fill the unit cube more evenly than random ones. With `seed` it is moved by a random
/// digital shift, which keeps that and leaves the corner where the sequence begins.
/// Direction numbers of Joe and Kuo, SIAM J. Sci. Comput. 30 (2008), their set new-joe-kuo-6.21201;
/// order of Antonov and Saleev (1979). Error: more dimensions.
std::vector<double> sobol_point(uint32_t index, int64_t dimensions,
                                std::optional<uint64_t> seed = {});

/// The most dimensions that `sobol_point` knows.
inline constexpr int64_t most_sobol_dimensions = 64;

/// Walks along Sobol's sequence: as simple as RandomSearch, with fewer gaps.
/// Error: more than 64 dimensions.
struct SobolSearch {
  void check_options(const SearchSpace& space, int64_t /*trials*/) const {
    if (space.size() > static_cast<size_t>(most_sobol_dimensions))
      throw Error("SobolSearch: {} dimensions, expected at most {}; RandomSearch takes any number",
                  space.size(), most_sobol_dimensions);
  }

  std::optional<Proposal> operator()(const SearchState& state) const {
    return Proposal{state.space.values_at(sobol_point(
        static_cast<uint32_t>(state.next), static_cast<int64_t>(state.space.size()), state.seed))};
  }
};

}  // namespace mtl::evaluate
