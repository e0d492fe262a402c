#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "mtl/data/images/decode.hpp"

namespace mtl::images {

Decoded decode_png(std::span<const uint8_t> bytes, std::string_view label,
                   const ReadOptions& options);

}  // namespace mtl::images
