#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mtl/combine/combine.hpp"

/// Any combiner by its name alone, for `tasks` tasks.
inline std::unique_ptr<mtl::Combiner> plain_combiner(const std::string& name, int64_t tasks) {
  std::string text = name;
  for (int64_t t = 0; t < tasks && name == "fixed"; ++t) text += t == 0 ? ":weights=1" : "/1";
  return mtl::make_combiner(text, tasks);
}

/// The names of all combiners that look at task gradients.
inline std::vector<std::string> gradient_methods() {
  std::vector<std::string> names;
  for (const std::string& name : mtl::combiner_names()) {
    const auto combiner = plain_combiner(name, 4);
    if (dynamic_cast<mtl::GradientCombiner*>(combiner.get()) != nullptr ||
        dynamic_cast<mtl::DirectionCombiner*>(combiner.get()) != nullptr)
      names.push_back(name);
  }
  return names;
}
