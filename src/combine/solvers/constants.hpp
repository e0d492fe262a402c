#pragma once

#include <limits>

namespace mtl::solvers {

inline constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace mtl::solvers
