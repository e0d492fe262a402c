#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mtl::io {

/// Polynomials, the lowest bit standing for the highest power.
inline constexpr uint32_t zip_polynomial = 0xEDB88320;         // CRC-32: ISO 3309, zip, PNG
inline constexpr uint32_t castagnoli_polynomial = 0x82F63B78;  // CRC-32C: RFC 3720, TFRecord

/// The cyclic redundancy check of 32 bits as both formats take it: bytes from their lowest bit on,
/// ones before the first and the result inverted.
template <uint32_t polynomial>
uint32_t crc32(std::string_view bytes) {
  static constexpr auto table = [] {
    std::array<uint32_t, 256> all{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? polynomial : 0);
      all[i] = value;
    }
    return all;
  }();
  uint32_t crc = ~uint32_t{0};
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 255] ^ crc >> 8;
  return ~crc;
}

}  // namespace mtl::io
