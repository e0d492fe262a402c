#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "mtl/mtl.hpp"

// Four tasks of four kinds on a small net, drawn on the CPU and copied to where they are needed.

inline constexpr int64_t problem_inputs = 12;

inline mtl::TaskRegistry problem_tasks(int64_t width) {
  mtl::TaskRegistry tasks;
  tasks.add(
      {.name = "price", .head = mtl::nn::LinearHead(width, 1), .loss = mtl::MeanSquaredError{}});
  tasks.add({.name = "kind", .head = mtl::nn::LinearHead(width, 4), .loss = mtl::CrossEntropy{}});
  tasks.add(
      {.name = "rain", .head = mtl::nn::LinearHead(width, 1), .loss = mtl::BinaryCrossEntropy{}});
  tasks.add({.name = "size", .head = mtl::nn::LinearHead(width, 2), .loss = mtl::Huber{}});
  return tasks;
}

/// The same numbers at each call.
inline mtl::HardSharing problem_model(torch::Device device, torch::ScalarType type) {
  torch::manual_seed(7);
  mtl::HardSharing model(
      mtl::nn::MlpEncoder({.input_size = problem_inputs, .hidden_sizes = {24, 16}}),
      problem_tasks(16));
  model->to(device, type);
  return model;
}

/// Batch `draw` of step `step`. In every third step some labels are missing, in every fourth all of
/// one task.
inline mtl::Batch problem_batch(int64_t step, int64_t draw, torch::Device device,
                                torch::ScalarType type, int64_t rows = 16) {
  auto generator = mtl::make_generator(static_cast<uint64_t>(1000 * step + draw));
  const auto normal = [&](std::vector<int64_t> shape) {
    return torch::randn(shape, generator, torch::kDouble);
  };
  const torch::Tensor x = normal({rows, problem_inputs});
  torch::Tensor price = x.select(1, 0) * 2 + x.select(1, 1) + 0.1 * normal({rows});
  torch::Tensor kind =
      (x.select(1, 2) > 0).to(torch::kLong) + 2 * (x.select(1, 3) > 0).to(torch::kLong);
  torch::Tensor rain = (x.select(1, 4) + 0.3 * normal({rows}) > 0).to(torch::kDouble);
  torch::Tensor size = x.narrow(1, 5, 2) - x.narrow(1, 7, 2);
  if (step % 3 == 2) {
    price.narrow(0, 0, 3).fill_(std::nan(""));
    kind.narrow(0, 5, 2).fill_(mtl::missing_class);
  }
  mtl::Batch batch;
  batch.inputs.insert("x", x.to(device, type));
  batch.targets.insert("price", price.to(device, type));
  batch.targets.insert("kind", kind.to(device));
  if (step % 4 != 3) batch.targets.insert("rain", rain.to(device, type));
  batch.targets.insert("size", size.to(device, type));
  return batch;
}

inline std::string text_of(const std::string& combiner) {
  return combiner == "fixed" ? "fixed:weights=1/2/0.5/0.25" : combiner;
}

inline torch::Tensor flat_on_cpu(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> parts;
  for (const auto& tensor : tensors)
    parts.push_back(tensor.detach().to(torch::kCPU, torch::kDouble).reshape({-1}));
  return parts.empty() ? torch::zeros({0}, torch::kDouble) : torch::cat(parts);
}
