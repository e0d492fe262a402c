#pragma once

#include <concepts>
#include <cstdint>

#include "mtl/core/error.hpp"

namespace mtl {

/// How many tasks there are, as a number or as anything that has a size (a registry of tasks):
///
///     KendallUncertainty combiner(tasks);   KendallUncertainty combiner(2);
///
/// Without it a combiner that keeps something by task finds the number at its first step, or is
/// told by the trainer. Error: a negative number.
struct TaskCount {
  TaskCount() = default;
  template <std::integral Integer>
  TaskCount(Integer count) : value(static_cast<int64_t>(count)) {
    if (value < 0) throw Error("the number of tasks is {}, expected 0 (not known) or more", value);
  }
  template <class Tasks>
  requires requires(const Tasks& tasks) {
    { tasks.size() } -> std::integral;
  }
  TaskCount(const Tasks& tasks) : value(static_cast<int64_t>(tasks.size())) {}

  int64_t value = 0;  ///< 0: not known
};

}  // namespace mtl
