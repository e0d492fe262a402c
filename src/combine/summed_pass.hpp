#pragma once

#include <cstdint>
#include <vector>

#include "mtl/combine/joined_losses.hpp"

namespace mtl {

/// How gradients are summed over the processes.
struct Exchange {
  StartSumOverProcesses start;
  int64_t bucket_bytes = 0;  // tensors that travel together, one at least; 0: all
};

/// The gradients at `parameters` of sum_i <from[i], along[i]>, one backward pass that keeps the
/// graph, summed over the processes, by parameter. `here`: which of them the pass reaches in this
/// process; the others' count as zeros. Sums begin while the pass goes on, the last parameter's
/// first, in the same order everywhere.
StartedSum summed_pass(const Exchange& exchange, const std::vector<Tensor>& from,
                       const std::vector<Tensor>& along, const std::vector<Tensor>& parameters,
                       const std::vector<bool>& here);

/// The same of gradients that are known; undefined ones are zeros like the parameter.
StartedSum summed_gradients(const Exchange& exchange, std::vector<Tensor> gradients,
                            const std::vector<Tensor>& parameters);

}  // namespace mtl
