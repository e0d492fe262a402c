#pragma once

#include "mtl/combine/combiner.hpp"
#include "mtl/sharing/model.hpp"
#include "mtl/train/history.hpp"
#include "mtl/train/loader_ref.hpp"

namespace mtl {

/// What a model answers for a whole data set, in the loader's order, and the truth beside it. On
/// the CPU.
struct Predictions {
  NamedTensors predictions;  // by task, [N, ...]
  NamedTensors targets;      // by target name, [N, ...]; without those that the data set lacks
};

/// Runs the model over one epoch of the loader, in evaluation mode and without gradients; its mode
/// is put back.
Predictions predict(Model& model, LoaderRef loader);

/// The same, with the loss of each task, the combiner's total, and the metrics over all labelled
/// samples.
SplitRecord validate(Model& model, Combiner& combiner, LoaderRef loader);

/// The metrics of one task over its labelled samples; NaN where there is none.
std::vector<double> metrics_of(const Task& task, const Predictions& predictions);

}  // namespace mtl
