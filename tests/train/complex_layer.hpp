#pragma once

#include <memory>

#include "two_task_problem.hpp"

/// A layer of complex weights [5, 8], as of a Fourier transform.
struct ComplexLayerImpl : torch::nn::Module {
  ComplexLayerImpl()
      : weight(register_parameter("weight", torch::randn({5, 8}, torch::kComplexFloat))) {}
  torch::Tensor forward(const torch::Tensor& x) {
    const auto y = x.to(torch::kComplexFloat).matmul(weight);
    return torch::real(y) - torch::imag(y) / 2;
  }
  torch::Tensor weight;
};
TORCH_MODULE(ComplexLayer);

inline mtl::HardSharing complex_model() {
  torch::manual_seed(3);
  return mtl::HardSharing(ComplexLayer(), weather_tasks(8));
}

inline torch::Tensor complex_weight(mtl::HardSharing& model) {
  return model->named_parameters()["encoder.weight"];
}

/// Trains with gradient descent on 48 rows in batches of 8.
template <class... Callbacks>
mtl::TrainingRun complex_run(mtl::HardSharing& model, mtl::TrainerOptions options,
                             Callbacks&&... callbacks) {
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::BatchLoader train(weather_like(48, 1), {.batch_size = 8});
  mtl::Trainer trainer(model, sgd, mtl::Sum(), options);
  return trainer.fit(train, std::forward<Callbacks>(callbacks)...);
}
