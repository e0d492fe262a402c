#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// What a model takes, for all tasks and for each.
struct Costs {
  struct OfTask {
    std::string name;
    int64_t parameters;         ///< that its prediction needs, shared ones included
    int64_t own_parameters;     ///< that no other task's prediction needs
    int64_t multiply_adds;      ///< to predict this task alone
    int64_t own_multiply_adds;  ///< of these, what no other task needs
  };
  int64_t parameters;     ///< numbers that can be trained, frozen ones included
  int64_t multiply_adds;  ///< of one forward pass of these inputs
  std::vector<OfTask> tasks;

  /// Error: no such task.
  const OfTask& at(std::string_view task) const;
};

/// Counts one forward pass in evaluation mode; the model stays as it is. For figures by sample give
/// inputs of one sample. A multiply-add is one product in a matrix product, a convolution or an
/// LSTM; element-wise operations are not counted, as papers do. Error: in torch's inference mode,
/// or of a model that was made there.
Costs costs(ModelRef model, const NamedTensors& inputs);

}  // namespace mtl
