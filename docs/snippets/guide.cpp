// The code of docs/guide.md: from a model of the library to parts of one's own.
#include <mtl/mtl.hpp>

#include <cmath>
#include <cstdio>

/// A head that cannot answer below zero.
struct PositiveHeadImpl : torch::nn::Module {
  explicit PositiveHeadImpl(int64_t inputs)
      : linear(register_module("linear", torch::nn::Linear(inputs, 1))) {}
  torch::Tensor forward(const torch::Tensor& representation) {
    return torch::softplus(linear->forward(representation));
  }
  torch::nn::Linear linear;
};
TORCH_MODULE(PositiveHead);

/// Relative errors, [N]: off by one in ten counts as off by ten in a hundred.
torch::Tensor relative_error(const torch::Tensor& prediction, const torch::Tensor& target) {
  return ((prediction.squeeze(1) - target) / target).square();
}

/// Weighs the tasks' gradients so that all are of one length, and looks at nothing else.
struct EqualLengths : mtl::GradientCombiner {
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    const Eigen::VectorXd inverse = gramian.diagonal().cwiseSqrt().cwiseInverse();
    return inverse / inverse.sum();  // [T]
  }
};

/// The same with an option, checked when the combiner is made.
struct PoweredLengths : mtl::GradientCombiner {
  explicit PoweredLengths(double power) : power_(power) {
    if (!(power >= 0 && power <= 1))
      throw mtl::Error("PoweredLengths: found power {}, expected 0 (as they are) to 1 (equal)",
                       power);
  }
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return gramian.diagonal().cwiseSqrt().array().pow(-power_).matrix();
  }

 private:
  double power_;
};

/// A callback: whatever has one of the hooks.
struct CountSteps {
  int64_t* steps;
  void on_step_end(mtl::TrainState& /*state*/) { ++*steps; }
};

int main() {
  torch::manual_seed(0);
  const auto x = torch::rand({512, 4});
  const auto width = 1 + x.sum(1), height = 100 * (1 + x.prod(1));
  mtl::BatchLoader train(mtl::TensorDataset({{"x", x}}, {{"width", width}, {"height", height}}),
                         {.batch_size = 64, .shuffle = true});

  mtl::TaskRegistry tasks;
  for (const char* name : {"width", "height"})
    tasks.add({.name = name, .head = PositiveHead(16), .loss = relative_error});
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {16}}), tasks);
  torch::optim::Adam adam(model->parameters(), 1e-2);

  int64_t steps = 0;
  EqualLengths combiner;
  const auto run =
      mtl::Trainer(model, adam, combiner, {.epochs = 20}).fit(train, CountSteps{&steps});
  std::puts(run.brief().c_str());

  // Two gradients, the second ten times as long and at right angles to the first.
  const auto rows = torch::tensor({{1.0, 0.0}, {0.0, 10.0}}, torch::kDouble);
  const torch::Tensor update = mtl::aggregate(combiner, rows);  // [2]
  const double angle = std::atan2(update[1].item<double>(), update[0].item<double>());
  std::printf("the update stands at %.0f degrees\n", angle * 180 / M_PI);

  PoweredLengths half(0.5);
  const torch::Tensor between = mtl::aggregate(half, rows);
  const bool right = std::abs(angle - M_PI / 4) < 1e-12 && steps == 160 &&
                     between[1].item<double>() > between[0].item<double>();
  return right && run.history.epochs.back().train.total < run.history.epochs.front().train.total
             ? 0
             : 1;
}
