#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "mtl/deploy/fields.hpp"

namespace mtl::deploy_detail {

/// What flows through shared stages in which tasks part, in Python.
inline constexpr std::string_view streams_python = R"py(
def through(stage, x):
    """A stage that all tasks go through: together until they part, one after the other then."""
    return {task: stage(own) for task, own in x.items()} if isinstance(x, dict) else stage(x)


def parted(x, change, tasks):
    """What each task makes of it: change(task, x)."""
    return {task: change(task, x[task] if isinstance(x, dict) else x) for task in tasks}


def answered(heads, x):
    return {task: head(x[task] if isinstance(x, dict) else x) for task, head in heads.items()}
)py";

/// A stage behind which each task does something of its own to the channels.
template <class Stage>
struct StageFields : Stage {
  void fields(Fields& f) {
    f("encoder", this->encoder);
    f("channels", this->channels);
  }
  /// A number below 0, which the model refuses, makes no room for another stage.
  double width() const { return static_cast<double>(std::max<int64_t>(this->channels, 0)); }
};

}  // namespace mtl::deploy_detail
