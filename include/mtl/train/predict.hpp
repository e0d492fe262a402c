#pragma once

#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/sharing/model_ref.hpp"
#include "mtl/train/loader_ref.hpp"

namespace mtl {

/// What a model answers for a whole data set, in the loader's order, and the truth beside it. On
/// the CPU.
struct Predictions {
  NamedTensors predictions = NamedTensors();  ///< by task, [N, ...]
  NamedTensors targets = NamedTensors();      ///< by target name, [N, ...]; without those that the
                                              ///< data set lacks
  Tensor sample_weights = Tensor();           ///< [N] for all tasks; undefined: all one
  NamedTensors task_sample_weights = NamedTensors();  ///< [N] by task, multiplied with those
};

/// Runs the model over one epoch of the loader, in evaluation mode and without gradients; its mode
/// is put back. Error: the loader gives fewer or more batches than it says.
Predictions predict(ModelRef model, LoaderRef loader);

/// The metrics of one task over its labelled samples, with their weights; NaN where there is none.
std::vector<double> metrics_of(const Task& task, const Predictions& predictions);

}  // namespace mtl
