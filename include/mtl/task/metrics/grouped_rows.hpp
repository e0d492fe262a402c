#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "mtl/task/metrics/outputs.hpp"

namespace mtl::task_detail {

/// The State of metrics by group: what counts of one output, by the number of the group. 24 bytes a
/// row.
struct GroupedRows {
  std::map<int64_t, Pairs> groups;

  /// Predictions and targets [N] or [N, 1], groups [N] whole numbers. Error: other shapes, no
  /// groups; `metric` is whose they are. RowError: a group that is no whole number.
  void add(const char* metric, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights, const Tensor& by) {
    const Tensor predicted = predictions.detach().to(torch::kCPU, torch::kDouble).contiguous();
    const Tensor truth = match_target(predicted, targets).contiguous();
    if (predicted.numel() != predicted.size(0))
      throw Error("{}: predictions {}, expected one a sample, [N] or [N, 1]", metric,
                  shape_text(predictions));
    if (!by.defined() || by.numel() != predicted.size(0))
      throw Error(
          "{}: the groups have shape {}, expected one whole number a row, [{}]; set `group` to the "
          "name of the target that holds them",
          metric, shape_text(by), predicted.size(0));
    const Tensor counts = entries_that_count(targets, sample_weights).contiguous();
    const Tensor group = by.to(torch::kCPU, torch::kDouble).contiguous();
    for (int64_t n = 0; n < predicted.size(0); ++n) {
      if (!counts.data_ptr<bool>()[n]) continue;
      const double number = group.data_ptr<double>()[n];
      if (number != std::floor(number) || std::abs(number) > 9e15)
        throw RowError(n, "the group in ",
                       " is " + std::to_string(number) + ", expected a whole number");
      Pairs& pairs = groups[static_cast<int64_t>(number)];
      pairs.predicted.push_back(predicted.data_ptr<double>()[n]);
      pairs.truth.push_back(truth.data_ptr<double>()[n]);
      pairs.weights.push_back(sample_weights.defined() ? sample_weights[n].item<double>() : 1);
      pairs.total += pairs.weights.back();
    }
  }

  void merge(const GroupedRows& other) {
    for (const auto& [number, theirs] : other.groups) {
      Pairs& pairs = groups[number];
      const auto append = [](std::vector<double>& to, const std::vector<double>& from) {
        to.insert(to.end(), from.begin(), from.end());
      };
      append(pairs.predicted, theirs.predicted);
      append(pairs.truth, theirs.truth);
      append(pairs.weights, theirs.weights);
      pairs.total += theirs.total;
    }
  }
};

}  // namespace mtl::task_detail
