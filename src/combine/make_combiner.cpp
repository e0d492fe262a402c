#include "mtl/combine/make_combiner.hpp"

#include <algorithm>

#include "methods.hpp"

namespace mtl {

std::unique_ptr<Combiner> make_combiner(std::string_view text, TaskCount tasks) {
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  for (const auto* methods : {&loss_methods(), &gradient_methods(), &bilevel_methods()}) {
    for (const Method& method : *methods) {
      if (method.name != name) continue;
      OptionText options(name, text.substr(std::min(colon + 1, text.size())));
      auto combiner = method.make(options, tasks);
      options.finish();
      return combiner;
    }
  }
  std::string names;
  for (const std::string& known : combiner_names()) names += (names.empty() ? "" : ", ") + known;
  throw Error("there is no combiner \"{}\"; there are: {}", name, names);
}

std::vector<std::string> combiner_names() {
  std::vector<std::string> names;
  for (const auto* methods : {&loss_methods(), &gradient_methods(), &bilevel_methods()}) {
    for (const Method& method : *methods) names.emplace_back(method.name);
  }
  return names;
}

}  // namespace mtl
