#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

/// The weights of make_merging.py: tensor k of set s.
inline torch::Tensor merging_rule(int64_t s, int64_t k, const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (const int64_t length : shape) size *= length;
  const auto i = torch::arange(size, torch::kDouble);
  const double step = 0.9 + 0.1 * static_cast<double>(k),
               phase = 1.3 * static_cast<double>(k) + 0.7 * static_cast<double>(s) + 0.2;
  return (0.6 * torch::sin(step * i + phase)).view(shape);
}
