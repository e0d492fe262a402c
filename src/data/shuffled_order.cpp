#include "mtl/data/shuffled_order.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace mtl {

Tensor shuffled_order(int64_t count, uint64_t seed, uint64_t stream) {
  if (count < 0) throw Error("shuffled_order: there are no {} rows", count);
  const auto low = [](uint64_t value) { return static_cast<uint32_t>(value); };
  const auto high = [](uint64_t value) { return static_cast<uint32_t>(value >> 32); };
  std::seed_seq seeds{low(seed), high(seed), low(stream), high(stream)};
  std::mt19937_64 engine(seeds);  // the engine is the same everywhere, std's distributions are not
  Tensor order = torch::arange(count, torch::kInt64);
  int64_t* out = order.data_ptr<int64_t>();
  for (int64_t i = count - 1; i > 0; --i) {
    // An even choice of 0..i: numbers of the engine's last, incomplete round are drawn again.
    const uint64_t choices = static_cast<uint64_t>(i) + 1;
    const uint64_t incomplete = (0 - choices) % choices;  // 2^64 mod choices
    uint64_t drawn = engine();
    while (drawn < incomplete) drawn = engine();
    std::swap(out[i], out[drawn % choices]);
  }
  return order;
}

}  // namespace mtl
