#pragma once

#include <cstdint>
#include <string>
#include <utility>
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
inline std::vector<DerivedTask> outputs_of(const std::string& head_of,
                                           std::vector<HeadOutputs> tasks) {
  if (tasks.empty()) throw Error("outputs of task \"{}\": no task reads them", head_of);
  int64_t all = 0;
  for (const HeadOutputs& one : tasks) {
    if (one.outputs < 1)
      throw Error("outputs of task \"{}\": task \"{}\" reads {}, expected at least 1", head_of,
                  one.task.name, one.outputs);
    all += one.outputs;
  }
  std::vector<DerivedTask> derived;
  int64_t first = 0;
  for (HeadOutputs& one : tasks) {
    const auto read = [head_of, first, count = one.outputs, all](const NamedTensors& predictions) {
      const Tensor& prediction = predictions[head_of];
      if (prediction.dim() < 2 || prediction.size(1) != all)
        throw Error("its head gives {}, and the tasks that read it have [N, {}]",
                    shape_text(prediction), all);
      return prediction.narrow(1, first, count);
    };
    first += one.outputs;
    derived.push_back({std::move(one.task), {head_of}, read});
  }
  return derived;
}

}  // namespace mtl
