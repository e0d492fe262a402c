#pragma once

#include "mtl/report/page.hpp"
#include "mtl/task/registry.hpp"
#include "mtl/train/callbacks/combiner_log.hpp"

namespace mtl::report {

/// "How the tasks were combined": weights, shares, conflicts and cosines over the steps that the
/// log saw; nothing where it saw none.
void add_combiner(Page& page, const CombinerLog& log, const TaskRegistry& tasks);

}  // namespace mtl::report
