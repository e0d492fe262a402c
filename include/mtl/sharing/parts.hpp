#pragma once

#include <torch/types.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/nn/layer.hpp"
#include "mtl/task/registry.hpp"

namespace mtl {

/// The stages of an encoder, each taking the output of the one before.
using Stages = std::vector<Encoder>;

/// `count` parts, or lists of parts, each made anew by `make()`, so that each begins with weights
/// of its own. Every way of sharing with several encoders takes a list of them:
///
///     const auto experts = mtl::several(4, [] { return mtl::nn::MlpEncoder({...}); });
template <std::invocable Make>
auto several(int64_t count, const Make& make) {
  using Made = std::invoke_result_t<const Make&>;
  using Part = std::conditional_t<std::convertible_to<Made, Encoder>, Encoder, Made>;
  std::vector<Part> parts;
  for (int64_t k = 0; k < count; ++k) parts.push_back(make());
  return parts;
}

namespace sharing_detail {

inline std::vector<Encoder> clones_of(const std::vector<Encoder>& parts) {
  std::vector<Encoder> copies;
  for (const Encoder& part : parts) copies.push_back(part.clone());
  return copies;
}

inline std::vector<Stages> clones_of(const std::vector<Stages>& lists) {
  std::vector<Stages> copies;
  for (const Stages& list : lists) copies.push_back(clones_of(list));
  return copies;
}

/// The parameters of parts, one after the other.
inline void append_parameters(std::vector<Tensor>& parameters, const std::vector<Encoder>& parts) {
  for (const Encoder& part : parts)
    for (const Tensor& parameter : part.module()->parameters()) parameters.push_back(parameter);
}

/// Error: one module is there twice, so that what should learn apart would be one.
inline void require_distinct(const std::vector<Encoder>& parts, const std::string& what) {
  for (size_t a = 0; a < parts.size(); ++a)
    for (size_t b = 0; b < a; ++b)
      if (parts[a] && parts[a].module() == parts[b].module())
        throw Error(
            "{} {} and {} are one module, and would stay alike; make each anew, e.g. with "
            "mtl::several",
            what, b, a);
}

/// Error: not one a task.
inline void require_one_a_task(size_t found, const TaskRegistry& tasks, const std::string& what) {
  if (found != static_cast<size_t>(tasks.size()))
    throw Error("found {} {} for {} tasks; give one a task, in the order of the registry", found,
                what, tasks.size());
}

/// An encoder of several stages for each task, for ways that mix them after each stage. Error: not
/// one a task, without stages, of different lengths, or with one module in two places.
inline void check_columns(const std::vector<Stages>& columns, const TaskRegistry& tasks) {
  require_one_a_task(columns.size(), tasks, "encoders");
  std::vector<Encoder> all;
  for (size_t t = 0; t < columns.size(); ++t) {
    const std::string& name = tasks[static_cast<int64_t>(t)].name;
    if (columns[t].empty()) throw Error("the encoder of task \"{}\" has no stages", name);
    if (columns[t].size() != columns[0].size())
      throw Error(
          "the encoder of task \"{}\" has {} stages, that of task \"{}\" {}; they are mixed "
          "after each stage, so give all the same number",
          name, columns[t].size(), tasks[0].name, columns[0].size());
    all.insert(all.end(), columns[t].begin(), columns[t].end());
  }
  require_distinct(all, "stages, counted over all tasks,");
}

/// A penalty of weights that are all frozen, or of none, has no graph: with one that teaches
/// nothing, so that it can be gone back through as any other.
inline Tensor with_graph(Tensor penalty) {
  return penalty.requires_grad() ? penalty : penalty.detach().requires_grad_();
}

/// Error: tensors that are to be mixed differ in shape; `name(k)` says whose the k-th is.
template <class Name>
void require_same_shape(const std::vector<Tensor>& outputs, const Name& name) {
  for (size_t k = 1; k < outputs.size(); ++k)
    if (outputs[k].sizes() != outputs[0].sizes())
      throw Error("{} gives {}, and {} {}; what is mixed must have one shape", name(k),
                  shape_text(outputs[k]), name(0), shape_text(outputs[0]));
}

}  // namespace sharing_detail
}  // namespace mtl
