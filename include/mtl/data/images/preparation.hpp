#pragma once

#include <cstdint>

#include "mtl/data/images/transforms.hpp"

namespace mtl::images {

/// How a decoded picture becomes what a network takes, the same each time: what a bundle says of a
/// picture input, so that who predicts does what evaluation did.
///     shorter_side > 0    its shorter side to so many pixels, then the middle width x height
///     shorter_side = 0    to width x height, whatever its proportions
struct Preparation {
  int64_t width = 0, height = 0;  ///< of the input [N, 3, height, width]
  int64_t shorter_side = 0;
  Filter filter = Filter::bilinear;
  Normalize normalize = {};

  /// All but the last step, as ImageLoader::Options::transform takes it; `normalize` beside it.
  Transform transform() const;
};

}  // namespace mtl::images
