#include "mtl/combine/make_combiner.hpp"

#include <algorithm>
#include <utility>

#include "mtl/combine/bilevel/bilevel.hpp"
#include "mtl/combine/gradients/gradients.hpp"
#include "mtl/combine/losses/losses.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

struct KnownCombiner {
  std::string_view name;
  std::unique_ptr<Combiner> (*make)(std::string_view options);
  std::vector<OptionDescription> (*options)();
};

struct NoOptions {
  void describe(OptionVisitor&) {}
};

// A combiner without options has no Options.
template <class Kind>
std::unique_ptr<Combiner> made_from(std::string_view text) {
  if constexpr (requires { typename Kind::Options; }) {
    typename Kind::Options options{};
    read_options(Kind::name, text, options);
    return std::make_unique<Kind>(std::move(options));
  } else {
    NoOptions none;
    read_options(Kind::name, text, none);
    return std::make_unique<Kind>();
  }
}

template <class Kind>
std::vector<OptionDescription> options_of() {
  if constexpr (requires { typename Kind::Options; }) {
    typename Kind::Options options{};
    return list_options(options);
  } else {
    return {};
  }
}

template <class... Kinds>
std::vector<KnownCombiner> known() {
  return {{Kinds::name, made_from<Kinds>, options_of<Kinds>}...};
}

// The one list of all combiners.
const std::vector<KnownCombiner>& all_combiners() {
  static const auto all =
      known<Sum, Mean, FixedWeights, GeometricMean, KendallUncertainty, RevisedUncertainty, ImtlL,
            DynamicWeightAverage, RandomLossWeighting, Stch, Famo, Cosmos, Pbi, LogSum,  //
            Mgda, PcGrad, GradVac, CaGrad, ImtlG, Imtl, NashMtl, AlignedMtl, FairGrad, UpGrad,
            DualProj, ConFig, Pcd, GradDrop, GradNorm, Krum, TrimmedMean, ExcessMtl, MoCo, DbMtl,
            MoDo, SdmGrad, CrMogm, RandomWeights,  //
            AutoLambda, Moml, Forum>();
  return all;
}

const KnownCombiner& find(std::string_view name) {
  for (const KnownCombiner& combiner : all_combiners())
    if (combiner.name == name) return combiner;
  std::string names;
  for (const std::string& known : combiner_names()) names += (names.empty() ? "" : ", ") + known;
  throw Error("there is no combiner \"{}\"; there are: {}", name, names);
}

}  // namespace

std::unique_ptr<Combiner> make_combiner(std::string_view text, TaskCount tasks) {
  const size_t colon = std::min(text.find(':'), text.size());
  auto combiner = find(text.substr(0, colon)).make(text.substr(std::min(colon + 1, text.size())));
  if (tasks.value > 0) combiner->set_task_count(tasks.value);
  return combiner;
}

std::vector<std::string> combiner_names() {
  std::vector<std::string> names;
  for (const KnownCombiner& combiner : all_combiners()) names.emplace_back(combiner.name);
  return names;
}

std::vector<OptionDescription> combiner_options(std::string_view name) {
  return find(name).options();
}

}  // namespace mtl
