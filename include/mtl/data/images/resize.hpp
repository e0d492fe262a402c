#pragma once

#include <cstdint>

#include "mtl/data/images/image.hpp"

namespace mtl::images {

enum class Filter {
  bilinear,  ///< triangle: shrinks well, enlarges softly
  bicubic,   ///< Keys 1981 with a = -1/2: enlarges crisply
};

struct Box {
  int64_t left = 0, top = 0, width = 0, height = 0;  ///< pixels
};

/// Resamples a picture, or the part of it in `box`. The filter is widened when shrinking, so that
/// every source pixel counts (antialiased, as Pillow does it, but rounded only once). Pixels
/// outside the box are not looked at. Error: a size that is not positive or beyond 10^9 pixels, a
/// box that does not lie in the picture.
Image resize(const Image& image, int64_t width, int64_t height, Filter filter = Filter::bilinear);
Image resize(const Image& image, const Box& box, int64_t width, int64_t height,
             Filter filter = Filter::bilinear);

/// Copies the part of the picture in `box`. Error: it does not lie in the picture.
Image crop(const Image& image, const Box& box);

}  // namespace mtl::images
