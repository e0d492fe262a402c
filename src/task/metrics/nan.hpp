#pragma once

#include <limits>

namespace mtl {

/// A metric of no samples, or of none of a kind that it needs.
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace mtl
