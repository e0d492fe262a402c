#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mtl {

/// The places of `values` in an order in which they do not fall: equal ones as they stood, those
/// that are NaN last.
std::vector<size_t> rising_order(std::span<const double> values);

/// The same where they do not rise.
std::vector<size_t> falling_order(std::span<const double> values);

/// Calls `f(begin, end)` for each run of equal values in such an order.
template <class F>
void for_each_tie(std::span<const double> values, const std::vector<size_t>& order, F f) {
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    do ++end;
    while (end < order.size() && values[order[end]] == values[order[begin]]);
    f(begin, end);
  }
}

}  // namespace mtl
