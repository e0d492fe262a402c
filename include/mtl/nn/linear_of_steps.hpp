#pragma once

#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <string_view>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl::nn_detail {

/// The linear layer of a head behind a summary and steps (SummaryHead, StepHead). Error: a size
/// below 1.
inline torch::nn::Linear linear_of_steps(std::string_view head, int64_t in, int64_t out) {
  if (in < 1 || out < 1)
    throw Error("{}: input_size {}, output_size {}: each must be at least 1", head, in, out);
  return torch::nn::Linear(in, out);
}

/// Error: another shape than [N, 1 + L, in], or fewer than `least` steps, the summary among them.
inline void check_steps(std::string_view head, const Tensor& steps, int64_t in, int64_t least) {
  if (steps.dim() != 3 || steps.size(1) < least || steps.size(2) != in)
    throw Error("{}: found {}, expected a summary and steps, [N, 1 + L, {}]", head,
                shape_text(steps), in);
}

}  // namespace mtl::nn_detail
