#pragma once

#include <string>
#include <vector>

#include "linear_problem.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"
#include "mtl/nn/heads/linear_head.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/sharing/task_losses.hpp"

/// Four tasks on one batch of a small perceptron.
struct RealNetwork {
  explicit RealNetwork(torch::ScalarType type) {
    torch::manual_seed(17);
    for (int t = 0; t < 4; ++t)
      tasks.add({.name = "t" + std::to_string(t),
                 .head = mtl::nn::LinearHead(12, 1),
                 .loss = mtl::MeanSquaredError{}});
    model =
        mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 6, .hidden_sizes = {16, 12}}), tasks);
    model->to(type);
    batch.inputs.insert("x", torch::randn({10, 6}, type));
    for (const mtl::Task& task : tasks)
      batch.targets.insert(task.name, torch::randn({10, 1}, type));
  }

  mtl::TaskLosses losses() {
    mtl::TaskLosses result = task_losses(*model, model->forward(batch.inputs), batch);
    result.another_batch = [this] { return losses(); };
    return result;
  }

  /// [T, all elements of `inputs`], in double precision.
  static mtl::Tensor jacobian(const std::vector<mtl::Tensor>& losses,
                              const std::vector<mtl::Tensor>& inputs) {
    std::vector<mtl::Tensor> rows;
    for (const mtl::Tensor& loss : losses)
      rows.push_back(flat(torch::autograd::grad({loss}, inputs, {}, true)));
    return torch::stack(rows).to(torch::kDouble);
  }

  Eigen::VectorXd step(mtl::Combiner& combiner, const mtl::TaskLosses& losses) {
    model->zero_grad();
    combiner.backward(losses, *model);
    std::vector<mtl::Tensor> gradients;
    for (const mtl::Tensor& parameter : model->shared_parameters())
      gradients.push_back(parameter.grad());
    return vector_of(flat(gradients));
  }

  static mtl::Tensor flat(const std::vector<mtl::Tensor>& parts) {
    std::vector<mtl::Tensor> all;
    for (const mtl::Tensor& part : parts) all.push_back(part.reshape({-1}));
    return torch::cat(all);
  }

  mtl::TaskRegistry tasks;
  mtl::HardSharing model = nullptr;
  mtl::Batch batch;
};
