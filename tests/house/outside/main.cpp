// What a user's own program looks like: a head and a combiner that the library does not know.
#include <mtl/mtl.hpp>

#include <cstdio>

struct ScaledHeadImpl : torch::nn::Module {
  explicit ScaledHeadImpl(int64_t inputs)
      : linear(register_module("linear", torch::nn::Linear(inputs, 1))) {}
  torch::Tensor forward(const torch::Tensor& representation) {
    return 2 * linear->forward(representation);
  }
  torch::nn::Linear linear;
};
TORCH_MODULE(ScaledHead);

/// Weights inversely proportional to the gradients' norms.
struct EqualNorms : mtl::GradientCombiner {
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return gramian.diagonal().cwiseSqrt().cwiseInverse();
  }
};

torch::Tensor squared_error(const torch::Tensor& prediction, const torch::Tensor& target) {
  return (prediction.squeeze(1) - target).square();
}

/// A loop of one's own, without any model of the library: encoder p, heads a and b, losses a p_1
/// and b (p_2 - p_1). By hand their gradients at p = (1, 2), a = b = 1 are (1, 0) and (-1, 1).
bool own_loop_is_right() {
  const auto p = torch::tensor({1.0, 2.0}).requires_grad_();
  const auto a = torch::ones({}).requires_grad_(), b = torch::ones({}).requires_grad_();
  const auto is_right = [&](mtl::Combiner& combiner, const torch::Tensor& expected, double of_a,
                            double of_b) {
    for (torch::Tensor parameter : {p, a, b}) parameter.mutable_grad().reset();
    combiner.backward(mtl::task_losses({a * p[0], b * (p[1] - p[0])}),
                      {.shared = {p}, .by_task = {{a}, {b}}});
    return torch::allclose(p.grad(), expected) && torch::allclose(a.grad(), torch::tensor(of_a)) &&
           torch::allclose(b.grad(), torch::tensor(of_b));
  };
  mtl::FixedWeights fixed({2, 3});
  mtl::UpGrad upgrad;  // the mean of (.5, .5) and (0, 1), the rows without what opposes the other
  return is_right(fixed, torch::tensor({-1.0, 3.0}), 2, 3) &&
         is_right(upgrad, torch::tensor({0.25, 0.75}), 1, 1);
}

int main() {
  torch::manual_seed(0);
  if (!own_loop_is_right()) return 2;
  mtl::TaskRegistry tasks;
  tasks.add({.name = "sum", .head = ScaledHead(16), .loss = squared_error});
  tasks.add({.name = "difference", .head = mtl::nn::LinearHead(16, 1), .loss = squared_error});
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {16}}), tasks);

  const auto x = torch::randn({64, 2});
  mtl::BatchLoader train(mtl::TensorDataset(
      {{"x", x}}, {{"sum", x.sum(1)}, {"difference", x.select(1, 0) - x.select(1, 1)}}));
  torch::optim::SGD sgd(model->parameters(), 0.05);
  EqualNorms combiner;
  const auto run = mtl::Trainer(model, sgd, combiner, {.epochs = 30}).fit(train);
  const double first = run.history.epochs.front().train.total,
               last = run.history.epochs.back().train.total;
  std::printf("training loss %.4f -> %.4f\n", first, last);
  return last < 0.5 * first ? 0 : 1;
}
