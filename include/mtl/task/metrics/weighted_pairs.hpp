#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "mtl/task/metrics/outputs.hpp"

// What metrics of order keep of the rows, and the ranks behind them.
namespace mtl::task_detail {

/// The State of metrics that need all rows of each output at once: predictions, targets and
/// weights, 24 bytes a labelled entry.
struct PairsState {
  std::vector<Pairs> outputs;

  void add(const Tensor& predictions, const Tensor& targets, const Tensor& sample_weights) {
    merge({pairs_by_output(predictions, targets, sample_weights)});
  }
  void merge(const PairsState& other) {
    if (other.outputs.empty()) return;
    if (outputs.empty()) outputs.resize(other.outputs.size());
    if (outputs.size() != other.outputs.size())
      throw Error("a batch has {} outputs, those before have {}", other.outputs.size(),
                  outputs.size());
    for (size_t k = 0; k < outputs.size(); ++k) outputs[k].merge(other.outputs[k]);
  }
};

/// The order in which `values` do not fall.
inline std::vector<size_t> rising(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  return order;
}

/// Calls `f(begin, end)` for each run of equal values in the order.
template <class F>
void for_each_tie(const std::vector<double>& values, const std::vector<size_t>& order, F f) {
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    f(begin, end);
  }
}

}  // namespace mtl::task_detail
