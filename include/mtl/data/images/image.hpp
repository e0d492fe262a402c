#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "mtl/core/tensor.hpp"

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

/// uint8 [3, height, width], as report::Tile takes it.
inline Tensor to_tensor(const Image& image) {
  const Tensor pixels = torch::empty({image.height, image.width, 3}, torch::kUInt8);
  std::copy(image.pixels.begin(), image.pixels.end(), pixels.data_ptr<uint8_t>());
  return pixels.permute({2, 0, 1}).contiguous();
}

}  // namespace mtl::images
