#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/task/registry.hpp"
#include "option_text.hpp"

namespace mtl {

/// A row of the table behind make_combiner: a name, and how its combiner is made from options.
struct Method {
  std::string_view name;
  std::unique_ptr<Combiner> (*make)(OptionText& options, const TaskRegistry& tasks);
};

const std::vector<Method>& loss_methods();
const std::vector<Method>& gradient_methods();
const std::vector<Method>& bilevel_methods();

}  // namespace mtl
