// Structured tasks: tokens with lengths.
#include <torch/nn/modules/linear.h>
#include <mtl/mtl.hpp>

#include <cstdio>

using mtl::Tensor;

/// A head that answers for each token: [N, L, features] to [N, C, L].
struct TokenHeadImpl : torch::nn::Module {
  TokenHeadImpl(int64_t inputs, int64_t classes)
      : line(register_module("line", torch::nn::Linear(inputs, classes))) {}
  Tensor forward(const Tensor& tokens) { return line(tokens).transpose(1, 2); }
  torch::nn::Linear line;
};
TORCH_MODULE(TokenHead);

void tokens() {
  const Tensor tags = torch::randint(3, {4, 6}, torch::kLong);
  const Tensor lengths = torch::tensor({6, 2, 4, 5});
  const Tensor filled = mtl::with_lengths(tags, lengths);  // -100 behind the end

  const mtl::Task task{.name = "aspects",
                       .head = TokenHead(8, 3),
                       .loss = mtl::CrossEntropy{},
                       .metrics = {mtl::SpanF1{.tags = {"O", "B-aspect", "I-aspect"}}}};
  const Tensor prediction = task.head.forward(torch::randn({4, 6, 8}));
  mtl::Batch batch;
  batch.targets.insert("aspects", filled);
  std::printf("aspects: loss %.3f, F1 %.3f\n",
              mtl::loss_of(task, prediction, batch).value.item<double>(),
              mtl::metrics_of(task, prediction, filled)[0]);
}

int main() {
  torch::manual_seed(0);
  tokens();
  return 0;
}
