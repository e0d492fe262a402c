#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// A way to make one set of weights of several that were tuned from one start, without training:
/// any callable (start, tuned) -> weights, all with the same names and shapes. What is merged are
/// the task vectors
///     v_t = theta_t - theta_0                         of all floating point tensors, frozen or not
/// Tensors of integers (BatchNorm's counts) come from the start; running statistics, which are no
/// weights and for which a task vector means nothing, are averaged over the tuned models. They are
/// known by their names in LibTorch: "running_mean" and "running_var" behind the last dot.
using Merging =
    std::function<NamedTensors(const NamedTensors& start, const std::vector<NamedTensors>& tuned)>;

namespace merging_detail {

/// Running statistics, by their name.
inline bool is_statistic(const std::string& name) {
  const std::string last = name.substr(name.rfind('.') + 1);  // npos + 1 is 0
  return last == "running_mean" || last == "running_var";
}

/// Counts come from the start. BatchNorm's are of a floating point type where the whole model was
/// brought to one.
inline bool is_count(const std::string& name, const Tensor& value) {
  return !value.is_floating_point() || name.substr(name.rfind('.') + 1) == "num_batches_tracked";
}

/// Has a task vector.
inline bool is_merged(const std::string& name, const Tensor& value) {
  return !is_count(name, value) && !is_statistic(name);
}

/// Error: no tuned model; the first name that is missing or unknown, shape that differs, or weight
/// that is not finite, with its model by number.
inline void check_models(const NamedTensors& start, const std::vector<NamedTensors>& tuned) {
  if (tuned.empty()) throw Error("merging: there is no tuned model; give at least one");
  if (start.is_empty()) throw Error("merging: the start has no weights, so nothing is shared");
  for (const auto& item : start)
    if (item.value().is_complex())
      throw Error("merging: \"{}\" is complex, and merging is of real weights", item.key());
  for (const auto& item : start)
    if (item.value().is_floating_point() && !item.value().isfinite().all().item<bool>())
      throw Error("merging: \"{}\" of the start holds a number that is not finite", item.key());
  for (size_t m = 0; m < tuned.size(); ++m) {
    for (const auto& item : start) {
      const Tensor* value = tuned[m].find(item.key());
      if (value == nullptr)
        throw Error(
            "merging: model {} has no \"{}\", which the start has; give models tuned from it", m,
            item.key());
      if (value->sizes() != item.value().sizes())
        throw Error("merging: \"{}\" has shape {} in model {} and {} in the start", item.key(),
                    shape_text(*value), m, shape_text(item.value()));
      if (value->is_floating_point() != item.value().is_floating_point())
        throw Error("merging: \"{}\" has type {} in model {} and {} in the start", item.key(),
                    toString(value->scalar_type()), m, toString(item.value().scalar_type()));
      if (value->is_floating_point() && !value->isfinite().all().item<bool>())
        throw Error("merging: \"{}\" of model {} holds a number that is not finite", item.key(), m);
    }
    for (const auto& item : tuned[m])
      if (start.find(item.key()) == nullptr)
        throw Error(
            "merging: model {} has \"{}\", which the start has not; give models tuned from it", m,
            item.key());
  }
}

/// The task vectors of one tensor, in double precision: [models, ...].
inline Tensor task_vectors(const std::string& name, const Tensor& start,
                           const std::vector<NamedTensors>& tuned) {
  std::vector<Tensor> vectors;
  for (const NamedTensors& model : tuned)
    vectors.push_back(model[name].detach().to(start.device(), at::kDouble) -
                      start.detach().to(at::kDouble));
  return at::stack(vectors);
}

/// The start plus `merged(name, task vectors [models, ...])` of each tensor that has some, in the
/// start's types and on its devices. Error: as check_models.
template <class Merged>
NamedTensors from_start(const NamedTensors& start, const std::vector<NamedTensors>& tuned,
                        const Merged& merged) {
  check_models(start, tuned);
  NamedTensors result;
  for (const auto& item : start) {
    const Tensor from = item.value().detach();
    if (is_count(item.key(), from)) {
      result.insert(item.key(), from.clone());
      continue;
    }
    const Tensor vectors = task_vectors(item.key(), from, tuned);
    const Tensor moved = is_statistic(item.key()) ? vectors.mean(0) : merged(item.key(), vectors);
    result.insert(item.key(), (from.to(at::kDouble) + moved).to(from.scalar_type()));
  }
  return result;
}

/// Error: `value`, an option of `whose`, is not finite.
inline void require_finite(const char* whose, const char* option, double value) {
  if (!(value > -1e300 && value < 1e300))
    throw Error("{}: found {} {}, expected a finite number", whose, option, value);
}

}  // namespace merging_detail
}  // namespace mtl
