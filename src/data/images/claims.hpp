#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "mtl/data/images/decode.hpp"

// What a picture's header claims, checked before memory is taken for it.

namespace mtl::images {

/// ImageError: width x height pixels are more than the options allow.
inline void check_size(int64_t width, int64_t height, std::string_view label,
                       const ReadOptions& options) {
  if (width * height <= options.max_pixels) return;
  throw ImageError(
      Flaw::too_large,
      fmt::format("{}: {} x {} pixels, more than the {} allowed. Shrink it or raise max_pixels",
                  label, width, height, options.max_pixels));
}

/// The error of a file whose bytes are too few for the picture.
inline ImageError too_short(std::span<const uint8_t> bytes, int64_t width, int64_t height,
                            std::string_view format, std::string_view label) {
  return {Flaw::truncated,
          fmt::format("{}: truncated {}: {} bytes cannot hold {} x {} pixels. Replace the file or "
                      "leave it out",
                      label, format, bytes.size(), width, height)};
}

}  // namespace mtl::images
