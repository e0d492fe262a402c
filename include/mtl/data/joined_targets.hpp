#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/data/dataset.hpp"
#include "mtl/data/padding.hpp"

namespace mtl {

/// Targets side by side as one, for a head that answers them all: of [N] or [N, K] each, [N, sum of
/// K] in their order. A label that is missing in one is missing in its columns only, where the loss
/// counts entry by entry (as those of real values do).
///
///     {"climate", joined_target({temperature, humidity, wind})}    // [N, 3], for LinearHead(_, 3)
///
/// Real as soon as one is real: the missing labels of whole numbers (-100) become NaN there.
/// Error: no target; one that is undefined, of another shape or on another device; targets of
/// different numbers of rows.
inline Tensor joined_target(const std::vector<Tensor>& targets) {
  if (targets.empty()) throw Error("joined target: there is no target to join");
  std::vector<Tensor> columns;
  for (const Tensor& target : targets) {
    if (!target.defined() || target.dim() < 1 || target.dim() > 2)
      throw Error("joined target: target {} is {}, expected [N] or [N, K]", columns.size(),
                  target.defined() ? shape_text(target) : "undefined");
    if (target.size(0) != targets[0].size(0) || target.device() != targets[0].device())
      throw Error("joined target: target {} is {} on {}, the first {} on {}", columns.size(),
                  shape_text(target), target.device().str(), shape_text(targets[0]),
                  targets[0].device().str());
    columns.push_back(target.dim() == 1 ? target.unsqueeze(1) : target);
  }
  return torch::cat(with_common_type(std::move(columns)), 1);
}

/// A target that is made of others, as joined_target does it.
struct JoinedTarget {
  std::string name;               // that it gets
  std::vector<std::string> from;  // targets of the data set, in this order
};

/// A data set of any kind with targets joined, batch by batch.
///
///     mtl::JoinedTargets data(samples, {{.name = "climate", .from = {"temperature", "wind"}}});
///     mtl::BatchLoader loader(data, {.batch_size = 32});
///
/// The targets that they are made of stay, for tasks that read one of them alone.
template <Dataset D>
class JoinedTargets {
 public:
  /// Error: no joined target; one without a name, or made of none.
  JoinedTargets(D dataset, std::vector<JoinedTarget> joined)
      : dataset_(std::move(dataset)), joined_(std::move(joined)) {
    if (joined_.empty()) throw Error("JoinedTargets: there is no target to make");
    for (const JoinedTarget& one : joined_)
      if (one.name.empty() || one.from.empty())
        throw Error(
            "JoinedTargets: target \"{}\" is made of {} others; give it a name and name "
            "those that it is made of",
            one.name, one.from.size());
  }

  int64_t size() const { return dataset_.size(); }
  int64_t row_bytes() const requires requires(const D& dataset) { dataset.row_bytes(); }
  { return dataset_.row_bytes(); }

  /// Error: a target that is to be joined is not there, or its name is taken; they do not fit
  /// together.
  Batch get(const Tensor& indices) const {
    Batch batch = dataset_.get(indices);
    for (const JoinedTarget& one : joined_) {
      if (batch.targets.contains(one.name))
        throw Error("JoinedTargets: the data set has a target \"{}\" already", one.name);
      std::vector<Tensor> parts;
      for (const std::string& name : one.from) {
        const Tensor* part = batch.targets.find(name);
        if (part == nullptr)
          throw Error(
              "JoinedTargets: target \"{}\" is made of \"{}\", which a batch lacks; give "
              "it there with missing labels (NaN, -100)",
              one.name, name);
        parts.push_back(*part);
      }
      try {
        batch.targets.insert(one.name, joined_target(parts));
      } catch (const Error& error) {
        throw Error("target \"{}\": {}", one.name, error.what());
      }
    }
    return batch;
  }

 private:
  D dataset_;
  std::vector<JoinedTarget> joined_;
};

}  // namespace mtl
