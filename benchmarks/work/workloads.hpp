#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/model.hpp"
#include "mtl/sharing/task_losses.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"

// Five training problems on random data, drawn in an order that PyTorch can repeat:
// benchmarks/peers.py has the same.
namespace benchmarks {

using torch::Tensor;

inline constexpr int64_t batches = 8;  // held in memory and visited in turn

/// One encoder, a linear head a task; losses are means over the batch.
class Net : public mtl::Model {
 public:
  using TaskLoss = Tensor (*)(const Tensor& prediction, const Tensor& target);

  Net(torch::nn::AnyModule encoder, std::vector<torch::nn::Linear> heads,
      std::vector<TaskLoss> losses)
      : Model(registry(heads)),
        encoder_(std::move(encoder)),
        heads_(std::move(heads)),
        losses_(std::move(losses)) {
    register_module("encoder", encoder_.ptr());
    register_heads();
  }

  mtl::TaskLosses losses(const Tensor& input, const std::vector<Tensor>& targets) {
    std::vector<Tensor> values;
    representation_ = encoder_.forward(input);
    for (size_t t = 0; t < heads_.size(); ++t)
      values.push_back(losses_[t](heads_[t]->forward(representation_), targets[t]));
    auto result = mtl::task_losses(std::move(values));
    result.representation = std::exchange(representation_, Tensor());
    return result;
  }

  mtl::NamedTensors forward(const mtl::NamedTensors& inputs) override {
    mtl::NamedTensors predictions;
    representation_ = encoder_.forward(inputs.front().value());
    for (size_t t = 0; t < heads_.size(); ++t)
      predictions.insert(std::to_string(t), heads_[t]->forward(representation_));
    return predictions;
  }

 private:
  static mtl::TaskRegistry registry(const std::vector<torch::nn::Linear>& heads) {
    mtl::TaskRegistry tasks;
    // A task must have a loss; the net's own list says which one counts.
    for (const auto& head : heads)
      tasks.add(
          {.name = std::to_string(tasks.size()), .head = head, .loss = mtl::MeanSquaredError{}});
    return tasks;
  }

  torch::nn::AnyModule encoder_;
  std::vector<torch::nn::Linear> heads_;
  std::vector<TaskLoss> losses_;
  Tensor representation_;
};

struct Workload {
  std::shared_ptr<Net> net;
  std::vector<Tensor> inputs;                // by batch
  std::vector<std::vector<Tensor>> targets;  // by batch and task
  bool adam = false;                         // otherwise plain gradient descent; 1e-3 both
  int64_t step = 0;

  size_t next_batch() { return static_cast<size_t>(step++ % batches); }
  mtl::TaskLosses losses(size_t batch) { return net->losses(inputs[batch], targets[batch]); }

  std::unique_ptr<torch::optim::Optimizer> optimizer(const std::vector<Tensor>& more) const {
    auto parameters = net->parameters();
    parameters.insert(parameters.end(), more.begin(), more.end());
    if (adam)
      return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(1e-3));
    return std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(1e-3));
  }
};

/// mlp, mlp_64 (mlp with batches of 64), mlp_small, lstm, cnn or wide, after manual_seed(0); with
/// "@4" after the name, with batches four times as large. `tasks` counts for the nets of linear
/// layers; lstm has 3, cnn 4. Drawn on the CPU, then moved to `device`. Error: another name.
Workload make_workload(const std::string& name, int64_t tasks, torch::Device device = torch::kCPU);

}  // namespace benchmarks
