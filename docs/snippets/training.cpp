// The code of docs/train.md.
#include <mtl/mtl.hpp>

#include <cstdio>
#include <filesystem>

/// Prints the gradient's norm every hundred steps.
struct GradientNorm {
  void on_gradients(mtl::TrainState& state) {
    if (state.step % 100 != 1) return;
    double sum = 0;
    for (const auto& parameter : state.model.parameters())
      sum += parameter.grad().square().sum().item<double>();
    std::printf("step %ld: gradient norm %.3f\n", static_cast<long>(state.step), std::sqrt(sum));
  }
};

int main() {
  torch::manual_seed(0);
  const auto x = torch::randn({200, 3});
  mtl::TensorDataset data({{"x", x}}, {{"sum", x.sum(1)}});

  mtl::TaskRegistry tasks;
  tasks.add({.name = "sum", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}});
  auto model = mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {8}}), tasks);
  const auto folder = std::filesystem::temp_directory_path() / "mtl-docs-training";

  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::Sum combiner;
  mtl::BatchLoader train(data.rows(torch::arange(0, 150)), {.shuffle = true, .seed = 1});
  mtl::BatchLoader valid(data.rows(torch::arange(150, 200)));
  mtl::Trainer trainer(model, adam, combiner, {.epochs = 20, .max_grad_norm = 1.0});
  auto run = trainer.fit(
      train, valid, mtl::EarlyStopping{.patience = 5}, mtl::StepLr{.step_size = 10, .gamma = 0.1},
      mtl::BestModel{.file = folder / "best.safetensors"}, mtl::StopOnInterrupt{}, GradientNorm{},
      mtl::Checkpointing{.directory = folder / "checkpoint", .resume = false});
  std::puts(run.brief().c_str());
  std::filesystem::remove_all(folder);
  return run.history.epochs.back().valid.total < run.history.epochs.front().valid.total ? 0 : 1;
}
