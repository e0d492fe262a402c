#pragma once

#include <cstdint>
#include <map>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl::task_detail {

/// The State of metrics by group: what counts of one output, by the number of the group. 24 bytes a
/// row.
struct GroupedRows {
  std::map<int64_t, Pairs> groups;

  /// Predictions and targets [N] or [N, 1], groups [N] whole numbers. Error: other shapes, no
  /// groups; `metric` is whose they are. RowError: a group that is no whole number.
  void add(const char* metric, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights, const Tensor& by);

  void merge(const GroupedRows& other);
};

}  // namespace mtl::task_detail
