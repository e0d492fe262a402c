#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mtl::images {

/// A decoded picture: 8-bit RGB, row by row from the top left, the channels innermost.
struct Image {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> pixels;  ///< [height, width, 3]

  Image() = default;
  Image(int64_t width_, int64_t height_)
      : width(width_), height(height_), pixels(static_cast<size_t>(3 * width_ * height_)) {}

  const uint8_t* row(int64_t y) const { return pixels.data() + 3 * width * y; }
  uint8_t* row(int64_t y) { return pixels.data() + 3 * width * y; }
  bool operator==(const Image&) const = default;
};

}  // namespace mtl::images
