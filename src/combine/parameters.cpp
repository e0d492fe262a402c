#include "mtl/combine/parameters.hpp"

#include <string>

#include "mtl/core/error.hpp"

namespace mtl {

void check_parameters(const std::vector<Tensor>& list, std::string_view name) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].defined()) throw Error("parameter {} of {} is an undefined tensor", i, name);
    if (!list[i].is_leaf())
      throw Error(
          "parameter {} of {}, of shape {}, is computed from other tensors, which would not learn "
          "from its gradient; give those",
          i, name, shape_text(list[i]));
  }
}

void check_parameters(const Parameters& parameters, int64_t task_count) {
  const auto lists = static_cast<int64_t>(parameters.by_task.size());
  if (lists != 0 && lists != task_count)
    throw Error(
        "parameters by task are given for {} tasks, but there are {}; give a list for each, in "
        "their order, or none at all",
        lists, task_count);
  check_parameters(parameters.shared, "the shared ones");
  for (size_t t = 0; t < parameters.by_task.size(); ++t)
    check_parameters(parameters.by_task[t], "task " + std::to_string(t));
}

}  // namespace mtl
