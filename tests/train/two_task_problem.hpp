#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "mtl/combine/combine.hpp"
#include "mtl/core/core.hpp"
#include "mtl/data/data.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/train.hpp"
#include "some_parts.hpp"

// A small problem of a regression ("temp") and a classification ("sky") that the trainer's tests
// share.

inline torch::Tensor cross_entropy(const torch::Tensor& prediction, const torch::Tensor& target) {
  return torch::nn::functional::cross_entropy(
      prediction, target, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
}

inline mtl::TensorDataset weather_like(int64_t rows, uint64_t seed) {
  auto generator = mtl::make_generator(seed);
  const auto x = torch::randn({rows, 5}, generator);
  return mtl::TensorDataset({{"x", x}}, {{"temp", x.select(1, 0) * 2 + x.select(1, 1)},
                                         {"sky", (x.select(1, 2) > 0).to(torch::kLong)}});
}

inline mtl::TaskRegistry weather_tasks(int64_t width) {
  mtl::TaskRegistry tasks;
  tasks.add({.name = "temp",
             .head = mtl::nn::LinearHead(width, 1),
             .loss = squared_error,
             .metrics = {MeanError{}}});
  tasks.add({.name = "sky", .head = mtl::nn::LinearHead(width, 2), .loss = cross_entropy});
  return tasks;
}

inline mtl::HardSharing two_task_model(double dropout = 0.0) {
  torch::manual_seed(3);
  const auto tasks = weather_tasks(8);
  return mtl::HardSharing(
      mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}, .dropout = dropout}), tasks);
}

/// With running statistics, which a step that is given up must not touch.
inline mtl::HardSharing normed_model() {
  torch::manual_seed(3);
  const auto tasks = weather_tasks(8);
  return mtl::HardSharing(torch::nn::Sequential(torch::nn::Linear(5, 8), torch::nn::BatchNorm1d(8),
                                                torch::nn::ReLU(), torch::nn::Dropout(0.3)),
                          tasks);
}

/// All parameters and buffers in one row.
inline torch::Tensor flat(const mtl::HardSharing& model) {
  std::vector<torch::Tensor> parts;
  for (const auto& item : mtl::nn::weights(*model))
    parts.push_back(item.value().reshape(-1).to(torch::kDouble));
  return torch::cat(parts);
}

/// Batches that are given as they are.
class ListLoader {
 public:
  explicit ListLoader(std::vector<mtl::Batch> batches) : list_(std::move(batches)) {}
  int64_t batches() const { return static_cast<int64_t>(list_.size()); }
  int64_t samples() const {
    int64_t all = 0;
    for (const auto& batch : list_) all += mtl::size(batch);
    return all;
  }
  void start_epoch(int64_t) { at_ = 0; }
  bool next(mtl::Batch& batch) {
    if (at_ == list_.size()) return false;
    batch = list_[at_++];
    return true;
  }

 private:
  std::vector<mtl::Batch> list_;
  size_t at_ = 0;
};

/// `data` in batches of 8, each a copy that may be changed.
inline std::vector<mtl::Batch> batches_of(const mtl::TensorDataset& data) {
  std::vector<mtl::Batch> all;
  for (int64_t first = 0; first < data.size(); first += 8)
    all.push_back(data.get(torch::arange(first, std::min(first + 8, data.size()))));
  return all;
}

inline mtl::TrainerOptions skipping(int64_t epochs, double max_grad_norm = 0) {
  return {.epochs = epochs, .max_grad_norm = max_grad_norm, .faulty_batch = mtl::FaultyBatch::skip};
}
