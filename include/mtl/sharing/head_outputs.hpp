#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/sharing/derived_tasks.hpp"

namespace mtl {

/// A task that reads some outputs of a head which answers several.
struct HeadOutputs {
  Task task;            // without a head
  int64_t outputs = 1;  // how many; they follow those of the task before
};

/// Tasks that one head answers together, each from its own outputs with its own target, loss and
/// metrics; missing labels and sample weights are each task's own, and a combiner sees each loss.
///     prediction_k = prediction[:, first_k : first_k + outputs_k]       [N, outputs_k]
///
///     DerivedTasks model(
///         HardSharing(encoder, {{.name = "climate", .head = nn::MlpHead(...),   // 5 outputs
///                                .loss = NoLoss{}}}),
///         outputs_of("climate", {{.task = {.name = "temperature", .loss = Huber{}}},
///                                {.task = {.name = "rain", .loss = BinaryCrossEntropy{}}},
///                                {.task = {.name = "sky", .loss = CrossEntropy{}},
///                                 .outputs = 3}}));
///
/// The head is shared by them all, and so among the parameters that combiners weigh gradients of.
/// Error: no tasks, less than one output; when it predicts: the head has another number of outputs,
/// or gives another shape than [N, outputs, ...].
std::vector<DerivedTask> outputs_of(const std::string& head_of, std::vector<HeadOutputs> tasks);

}  // namespace mtl
