#pragma once

#include <torch/cuda.h>
#include <torch/types.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

/// The device that is compared with the CPU: the first GPU, or what MTL_TEST_DEVICE names, so that
/// "cpu" runs the same tests without a GPU. None, and said so, where there is neither.
inline std::optional<torch::Device> test_device() {
  if (const char* name = std::getenv("MTL_TEST_DEVICE")) return torch::Device(name);
  if (torch::cuda::is_available()) return torch::Device(torch::kCUDA, 0);
  std::puts("skipped: there is no GPU; MTL_TEST_DEVICE=cpu compares the CPU with itself");
  return {};
}

/// A device on which batches for a model on `device` must not lie.
inline torch::Device wrong_for(torch::Device device) {
  return device.is_cpu() ? torch::Device(torch::kMeta) : torch::Device(torch::kCPU);
}
