#include "mtl/combine/make_combiner.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "methods.hpp"
#include "mtl/combine/bilevel/bilevel.hpp"
#include "mtl/combine/losses/losses.hpp"
#include "mtl/combine/options.hpp"

namespace mtl {
namespace {

struct KnownCombiner {
  std::string_view name;
  std::unique_ptr<Combiner> (*make)(std::string_view options);
};

template <class Made>
std::unique_ptr<Combiner> made_from(std::string_view text) {
  if constexpr (requires { typename Made::Options; }) {
    typename Made::Options options{};
    read_options(Made::name, text, [&](OptionVisitor& option) { options.describe(option); });
    return std::make_unique<Made>(std::move(options));
  } else {
    read_options(Made::name, text, [](OptionVisitor&) {});
    return std::make_unique<Made>();
  }
}

template <class... Made>
std::vector<KnownCombiner> known() {
  return {{Made::name, made_from<Made>}...};
}

const std::vector<KnownCombiner>& known_losses() {
  static const auto all =
      known<Sum, Mean, FixedWeights, GeometricMean, KendallUncertainty, RevisedUncertainty, ImtlL,
            DynamicWeightAverage, RandomLossWeighting, Stch, Famo, Cosmos, Pbi, LogSum>();
  return all;
}

const std::vector<KnownCombiner>& known_bilevel() {
  static const auto all = known<AutoLambda, Moml, Forum>();
  return all;
}

std::unique_ptr<Combiner> make_known(std::string_view name, std::string_view options,
                                     TaskCount tasks) {
  for (const auto* all : {&known_losses(), &known_bilevel()})
    for (const KnownCombiner& combiner : *all)
      if (combiner.name == name) return combiner.make(options);
  for (const Method& method : gradient_methods()) {
    if (method.name != name) continue;
    OptionText text(name, options);
    auto combiner = method.make(text, tasks);
    text.finish();
    return combiner;
  }
  std::string names;
  for (const std::string& known : combiner_names()) names += (names.empty() ? "" : ", ") + known;
  throw Error("there is no combiner \"{}\"; there are: {}", name, names);
}

}  // namespace

std::unique_ptr<Combiner> make_combiner(std::string_view text, TaskCount tasks) {
  const size_t colon = std::min(text.find(':'), text.size());
  auto combiner =
      make_known(text.substr(0, colon), text.substr(std::min(colon + 1, text.size())), tasks);
  if (tasks.value > 0) combiner->set_task_count(tasks.value);
  return combiner;
}

std::vector<std::string> combiner_names() {
  std::vector<std::string> names;
  for (const KnownCombiner& combiner : known_losses()) names.emplace_back(combiner.name);
  for (const Method& method : gradient_methods()) names.emplace_back(method.name);
  for (const KnownCombiner& combiner : known_bilevel()) names.emplace_back(combiner.name);
  return names;
}

}  // namespace mtl
