#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// A combiner from text, for command lines: a name and its options, "kendall",
/// "cagrad:c=0.4,rescale=0", "fixed:weights=1/0.5". Names, options and defaults: docs/combiners.md.
/// Lists are separated by slashes. `tasks` is their number or a registry; without it a combiner
/// that keeps something by task finds the number at its first step. Error: an unknown name, option
/// or value; the text lists what there is.
std::unique_ptr<Combiner> make_combiner(std::string_view text, TaskCount tasks = {});

/// The names that make_combiner knows: loss combiners, then gradient combiners, then bilevel
/// ones.
std::vector<std::string> combiner_names();

/// The options of the combiner of that name. Error: there is none.
std::vector<OptionDescription> combiner_options(std::string_view name);

}  // namespace mtl
