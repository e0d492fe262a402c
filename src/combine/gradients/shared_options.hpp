#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// What all gradient combiners let their users choose, out of the options of one of them.
template <class Options>
GradientOptions shared_options(const Options& options) {
  GradientOptions shared{.at = options.at};
  if constexpr (requires { options.every; }) shared.every = options.every;
  return shared;
}

}  // namespace mtl
