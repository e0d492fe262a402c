#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl::evaluate {

/// What one model reached in each of m objectives, all to be made small; a metric where higher is
/// better enters with its sign turned.
using Objectives = std::vector<double>;

/// The places of the points that no other dominates (is nowhere worse and somewhere better), in
/// order; of equal points all.
/// Error: points of different numbers of objectives, NaN.
std::vector<size_t> non_dominated(std::span<const Objectives> points);

/// The volume that the points dominate up to `reference`, exactly, for any number of objectives
/// (time grows fast beyond six). A point that is not better than the reference in every objective
/// adds nothing. Zitzler and Thiele, PPSN 1998.
/// Error: points or a reference of different numbers of objectives, NaN, an infinite box.
double hypervolume(std::span<const Objectives> points, const Objectives& reference);

/// Preferences over `tasks` >= 1 tasks, evenly spread: all vectors of multiples of 1 / steps that
/// sum to one, from (1, 0, ...) to (0, ..., 1). For a sweep of fixed weights, STCH or PBI; there
/// are choose(steps + tasks - 1, steps). Das and Dennis, SIAM J. Optim. 8 (1998).
/// Error: no task, no step.
std::vector<std::vector<double>> preferences(int64_t tasks, int64_t steps);

}  // namespace mtl::evaluate
