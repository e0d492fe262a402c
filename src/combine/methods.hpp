#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/task_count.hpp"
#include "option_text.hpp"

namespace mtl {

// The signature of a row below, in short names: the tables hold some fifty lambdas of it.
using Options = OptionText&;
using Tasks = TaskCount;
using Made = std::unique_ptr<Combiner>;

/// A row of the table behind make_combiner: a name, and how its combiner is made from options.
struct Method {
  std::string_view name;
  Made (*make)(Options options, Tasks tasks);
};

const std::vector<Method>& gradient_methods();

}  // namespace mtl
