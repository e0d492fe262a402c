#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "mtl/data/images/decode.hpp"

namespace mtl::images {

Decoded decode_jpeg(std::span<const uint8_t> bytes, std::string_view label,
                    const ReadOptions& options);
Decoded decode_png(std::span<const uint8_t> bytes, std::string_view label,
                   const ReadOptions& options);

/// Throws ImageError where width x height pixels are more than the options allow.
void check_size(int64_t width, int64_t height, std::string_view label, const ReadOptions& options);

}  // namespace mtl::images
