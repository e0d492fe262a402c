#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mtl::io {

/// A 64-bit digest of bytes that come piece by piece, to notice damage (not malice): XXH64 with
/// seed 0, some 8 GB/s. Bytes that differ have equal digests once in 2^64.
/// Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
///
///     mtl::io::Digest digest;
///     digest.update(header);
///     digest.update(data);
///     digest.text();   // 16 hexadecimal digits
class Digest {
 public:
  void update(std::string_view bytes) {
    total_ += bytes.size();
    if (held_ > 0) {
      const size_t taken = std::min(bytes.size(), stripe_.size() - held_);
      bytes.copy(stripe_.data() + held_, taken);
      bytes.remove_prefix(taken);
      held_ += taken;
      if (held_ < stripe_.size()) return;
      consume(stripe_.data(), 1);
    }
    const size_t stripes = bytes.size() / stripe_.size();
    consume(bytes.data(), stripes);
    bytes.remove_prefix(stripes * stripe_.size());
    held_ = bytes.copy(stripe_.data(), bytes.size());
  }

  /// Of all bytes so far.
  uint64_t value() const {
    uint64_t hash = prime[4];
    if (total_ >= stripe_.size()) {
      hash = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) +
             std::rotl(lanes_[3], 18);
      for (const uint64_t lane : lanes_) hash = (hash ^ round(0, lane)) * prime[0] + prime[3];
    }
    hash += total_;
    const char* rest = stripe_.data();
    const char* const end = rest + held_;
    for (; end - rest >= 8; rest += 8)
      hash = std::rotl(hash ^ round(0, read<uint64_t>(rest)), 27) * prime[0] + prime[3];
    for (; end - rest >= 4; rest += 4)
      hash = std::rotl(hash ^ read<uint32_t>(rest) * prime[0], 23) * prime[1] + prime[2];
    for (; rest < end; ++rest)
      hash = std::rotl(hash ^ read<uint8_t>(rest) * prime[4], 11) * prime[0];
    hash = (hash ^ hash >> 33) * prime[1];
    hash = (hash ^ hash >> 29) * prime[2];
    return hash ^ hash >> 32;
  }

  /// `value()` as 16 hexadecimal digits.
  std::string text() const {
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4)
      digits += "0123456789abcdef"[value() >> shift & 15];
    return digits;
  }

 private:
  static constexpr std::array<uint64_t, 5> prime = {0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f,
                                                    0x165667b19e3779f9, 0x85ebca77c2b2ae63,
                                                    0x27d4eb2f165667c5};
  static_assert(std::endian::native == std::endian::little, "XXH64 reads little-endian numbers");

  template <class T>
  static uint64_t read(const char* bytes) {
    T number;
    std::memcpy(&number, bytes, sizeof number);
    return number;
  }

  static uint64_t round(uint64_t lane, uint64_t number) {
    return std::rotl(lane + number * prime[1], 31) * prime[0];
  }

  void consume(const char* bytes, size_t stripes) {
    std::array<uint64_t, 4> lanes = lanes_;  // in registers: `bytes` might be these very members
    for (size_t i = 0; i < stripes; ++i)
      for (uint64_t& lane : lanes) {
        lane = round(lane, read<uint64_t>(bytes));
        bytes += sizeof lane;
      }
    lanes_ = lanes;
  }

  std::array<uint64_t, 4> lanes_ = {prime[0] + prime[1], prime[1], 0, 0 - prime[0]};
  std::array<char, 32> stripe_{};  // its first held_ bytes wait for more
  size_t held_ = 0;
  uint64_t total_ = 0;
};

}  // namespace mtl::io
