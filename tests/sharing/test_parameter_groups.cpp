#include "mtl/sharing/parameter_groups.hpp"

#include <torch/torch.h>

#include "catch.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"
#include "mtl/nn/heads/linear_head.hpp"
#include "mtl/sharing/hard_sharing.hpp"

using mtl::Tensor;

TEST_CASE(
    "parameter_groups: encoder and heads learn at their own rates, frozen parameters not at all") {
  mtl::TaskRegistry tasks;
  const mtl::Loss loss = [](const Tensor& p, const Tensor& t) { return (p - t).square().mean(1); };
  tasks.add({.name = "a", .head = mtl::nn::LinearHead(4, 1), .loss = loss});
  tasks.add({.name = "b", .head = mtl::nn::LinearHead(4, 2), .loss = loss});
  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {5, 4}}), tasks);
  model->named_parameters()["encoder.layers.0.weight"].set_requires_grad(false);

  using Options = torch::optim::SGDOptions;
  auto groups = mtl::parameter_groups(*model, Options(0.5), Options(2.0));
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].params().size() == 3);
  CHECK(groups[1].params().size() == 4);

  std::vector<Tensor> before;
  for (const Tensor& parameter : model->parameters()) before.push_back(parameter.detach().clone());
  torch::optim::SGD sgd(std::move(groups), Options(1.0));
  for (Tensor& parameter : model->parameters())
    parameter.mutable_grad() = torch::ones_like(parameter);
  sgd.step();
  size_t i = 0;
  for (const auto& item : model->named_parameters()) {
    CAPTURE(item.key());
    const double moved = (before[i++] - item.value()).mean().item<double>();
    const double rate = item.key() == "encoder.layers.0.weight" ? 0.0
                        : item.key().starts_with("heads")       ? 2.0
                                                                : 0.5;
    CHECK(moved == Approx(rate).margin(1e-5));
  }
}
