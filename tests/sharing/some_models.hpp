#pragma once

#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"

// Small models that several tests of this room use.

inline torch::Tensor squared_error(const torch::Tensor& p, const torch::Tensor& t) {
  return (p.squeeze(1) - t).square();
}

inline mtl::TaskRegistry three_tasks(int64_t width) {
  mtl::TaskRegistry tasks;
  for (const char* name : {"a", "b", "c"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(width, 1), .loss = squared_error});
  return tasks;
}

inline mtl::nn::MlpEncoder layer(int64_t in, int64_t out) {
  return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {out}});
}

inline bool same_weights(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto of_a = mtl::nn::weights(a), of_b = mtl::nn::weights(b);
  if (of_a.keys() != of_b.keys()) return false;
  for (const auto& item : of_a)
    if (!item.value().equal(of_b[item.key()])) return false;
  return true;
}

/// As a training step would.
inline void move_weights(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  for (auto& parameter : module.parameters()) parameter.add_(1);
}
