// The first code of docs/combiners.md: two tasks in a loop of one's own, with nothing of the
// library but a combiner.
#include <mtl/mtl.hpp>

#include <cstdio>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential encoder(torch::nn::Linear(2, 16), torch::nn::Tanh());
  torch::nn::Linear head1(16, 1), head2(16, 1);
  std::vector<torch::Tensor> all;
  for (const auto& list : {encoder->parameters(), head1->parameters(), head2->parameters()})
    all.insert(all.end(), list.begin(), list.end());
  torch::optim::SGD sgd(all, 0.1);
  const auto x = torch::randn({64, 2}), y1 = x.sum(1, true), y2 = x.prod(1, true);

  mtl::NashMtl combiner;
  double first = 0, last = 0;
  for (int step = 0; step < 300; ++step) {
    auto z = encoder->forward(x);
    auto l1 = torch::mse_loss(head1(z), y1), l2 = torch::mse_loss(head2(z), y2);
    sgd.zero_grad();
    combiner.backward(
        mtl::task_losses({l1, l2}),
        {.shared = encoder->parameters(), .by_task = {head1->parameters(), head2->parameters()}});
    sgd.step();
    last = (l1 + l2).item<double>();
    if (step == 0) first = last;
  }
  std::printf("sum of the losses %.3f -> %.3f\n", first, last);
  return last < 0.5 * first ? 0 : 1;
}
