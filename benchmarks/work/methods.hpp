#pragma once

#include <functional>
#include <string>
#include <vector>

#include "workloads.hpp"

namespace benchmarks {

/// One whole training step (next batch, gradients to none, forward, losses, combine, backward,
/// optimizer); returns the summed loss before the update.
using Step = std::function<Tensor()>;

/// `raw_forward`: the losses alone, without graph. `raw_sum`: one backward pass of the summed loss.
/// `raw_backwards`: T calls of backward(), gradients added up, the floor of everything that needs
/// each task's gradient. `engine`, `engine_rows`, `engine_products`: the Gramian in the way that
/// name says and weights 1 / |g_t|, without a solver. Any other name goes to make_combiner.
Step make_step(const std::string& method, Workload workload);

/// Those to measure where nothing is said: the floors, then all combiners.
std::vector<std::string> method_names();

}  // namespace benchmarks
