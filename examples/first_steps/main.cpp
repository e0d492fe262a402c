// Two tasks on five inputs: which of two classes, and three real values. Prints the losses and
// exits with 0 when both tasks have learned something.
//
// It includes what it uses; `#include <mtl/mtl.hpp>` brings everything.
#include <mtl/combine/losses/sum.hpp>
#include <mtl/data/dataset.hpp>
#include <mtl/data/loader.hpp>
#include <mtl/nn/encoders/mlp_encoder.hpp>
#include <mtl/nn/heads/linear_head.hpp>
#include <mtl/sharing/hard_sharing.hpp>
#include <mtl/task/losses/cross_entropy.hpp>
#include <mtl/task/losses/mean_squared_error.hpp>
#include <mtl/train/trainer.hpp>
#include <torch/optim/sgd.h>

#include <cstdio>

int main() {
  torch::manual_seed(1);
  const auto x = torch::randn({256, 5});
  const auto kind = (x.select(1, 0) + x.select(1, 1) > 0).to(torch::kLong);
  const auto values = torch::stack({x.select(1, 2), x.select(1, 3) - x.select(1, 4), x.sum(1)}, 1);

  auto model = mtl::HardSharing(
      mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {10}}),
      {{.name = "kind", .head = mtl::nn::LinearHead(10, 2), .loss = mtl::CrossEntropy{}},
       {.name = "values", .head = mtl::nn::LinearHead(10, 3), .loss = mtl::MeanSquaredError{}}});
  torch::optim::SGD sgd(model->parameters(), 0.01);

  mtl::BatchLoader train(mtl::TensorDataset({{"x", x}}, {{"kind", kind}, {"values", values}}),
                         {.batch_size = 32});
  mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 100});
  const mtl::TrainingRun run = trainer.fit(train);
  std::puts(run.report().c_str());
  const auto& first = run.history.epochs.front().train.losses;
  const auto& last = run.history.epochs.back().train.losses;
  return last[0] < first[0] && last[1] < first[1] ? 0 : 1;
}
