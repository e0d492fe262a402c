// The code of docs/combiners.md: one step by hand, with a combiner named in a text.
#include <mtl/mtl.hpp>

#include <cstdio>

int main() {
  torch::manual_seed(0);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "sum", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}});
  tasks.add(
      {.name = "product", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}});
  mtl::HardSharing holder(mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {8}}), tasks);
  mtl::Model& model = *holder;
  const auto x = torch::randn({16, 2});
  const mtl::Batch batch{{{"x", x}}, {{"sum", x.sum(1)}, {"product", x.prod(1)}}, true};

  auto combiner =
      mtl::make_combiner("kendall", tasks);  // or mtl::KendallUncertainty combiner(tasks);
  auto losses = mtl::task_losses(model, model.forward(batch.inputs), batch);
  combiner->backward(losses, model);  // .grad is filled, as backward() would

  for (const auto& parameter : model.parameters())
    if (!parameter.grad().defined()) return 1;
  std::puts("every parameter has its gradient");
}
