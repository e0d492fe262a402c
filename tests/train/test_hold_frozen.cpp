#include <torch/optim/sgd.h>

#include "catch.hpp"
#include "mtl/mtl.hpp"

TEST_CASE("HoldFrozen: the trainer leaves running statistics of a frozen encoder alone") {
  torch::manual_seed(3);
  mtl::HardSharing model(
      torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4)),
      {{.name = "a", .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}}});
  mtl::freeze(model, "encoder");
  const auto before = mtl::nn::cloned(model->named_buffers());
  const auto x = torch::randn({32, 2});
  mtl::BatchLoader train(mtl::TensorDataset({{"x", x}}, {{"a", x.sum(1)}}), {.batch_size = 8});
  torch::optim::SGD sgd(model->tasks()[0].head.module()->parameters(), 1e-2);
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 2}).fit(train, train, mtl::HoldFrozen{});
  const auto after = model->named_buffers();
  for (const auto& item : before) CHECK(after[item.key()].equal(item.value()));
}
