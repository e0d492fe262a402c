#pragma once

#include <torch/nn/module.h>

#include <optional>
#include <string_view>
#include <vector>

#include "mtl/combine/parameters.hpp"
#include "mtl/task/registry.hpp"

namespace mtl {

/// Maps named inputs to named predictions, one a task. Knows its tasks, and which parameters they
/// share.
class Model : public torch::nn::Module {
 public:
  explicit Model(TaskRegistry tasks);

  const TaskRegistry& tasks() const { return tasks_; }

  /// One prediction a task, by the task's name. Error: an input that the model needs is not there.
  virtual NamedTensors forward(const NamedTensors& inputs) = 0;

  /// The parameters that only this task uses. Here: those of its head.
  virtual std::vector<Tensor> task_parameters(std::string_view task);

  /// The parameters that belong to no single task. Here: all that are in no task's list.
  virtual std::vector<Tensor> shared_parameters();

  /// What a combiner needs to know of the model, found at the first call and kept.
  const Parameters& parameter_sets();
  operator const Parameters&() { return parameter_sets(); }

  /// The one tensor through which all tasks see the shared part in the last forward; undefined
  /// where there is none.
  virtual Tensor representation() const { return {}; }

 protected:
  /// Registers the heads as "heads.<task>". Error: a task has no head.
  void register_heads();

 private:
  TaskRegistry tasks_;
  std::optional<Parameters> parameter_sets_;
};

}  // namespace mtl
