#pragma once

#include <cstddef>
#include <vector>

#include "mtl/core/order.hpp"
#include "mtl/task/metrics/outputs.hpp"

// What metrics of order keep of the rows.
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

}  // namespace mtl::task_detail
