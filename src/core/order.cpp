#include "mtl/core/order.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mtl {
namespace {

template <class Before>
std::vector<size_t> order_by(std::span<const double> values, Before before) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (std::isnan(values[a]) || std::isnan(values[b])) return !std::isnan(values[a]);
    return before(values[a], values[b]);
  });
  return order;
}

}  // namespace

std::vector<size_t> rising_order(std::span<const double> values) {
  return order_by(values, [](double a, double b) { return a < b; });
}

std::vector<size_t> falling_order(std::span<const double> values) {
  return order_by(values, [](double a, double b) { return a > b; });
}

}  // namespace mtl
