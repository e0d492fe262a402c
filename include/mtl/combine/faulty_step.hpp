#pragma once

#include "mtl/core/error.hpp"

namespace mtl {

/// What a combiner found wrong with this one step, not with its use: a loss or a gradient that is
/// NaN or infinite, a loss outside the method's range. Thrown before a gradient or the combiner's
/// state is changed, so that the step can be left out.
struct FaultyStep : Error {
  using Error::Error;
};

}  // namespace mtl
