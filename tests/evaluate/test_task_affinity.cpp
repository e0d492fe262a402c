#include "catch.hpp"
#include "mtl/core/random.hpp"
#include "mtl/evaluate/task_affinity.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"

using mtl::evaluate::task_affinity;
using torch::Tensor;

namespace {

mtl::HardSharing model_of(mtl::Encoder encoder) {
  torch::manual_seed(1);
  mtl::TaskRegistry tasks;
  for (const char* name : {"a", "same", "opposite"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(6, 1), .loss = mtl::MeanSquaredError{}});
  mtl::HardSharing model(std::move(encoder), tasks);
  model->to(torch::kDouble);
  // One head for all, as it were: what a task asks of the encoder depends on its target alone.
  const torch::NoGradGuard no_grad;
  const auto heads = model->named_parameters();
  for (const char* name : {"same", "opposite"}) {
    heads[std::string("heads.") + name + ".weight"].copy_(heads["heads.a.weight"]);
    heads[std::string("heads.") + name + ".bias"].copy_(heads["heads.a.bias"]);
  }
  return model;
}

mtl::Batch batch_of() {
  auto generator = mtl::make_generator(3);
  const Tensor x = torch::randn({20, 4}, generator, torch::kDouble);
  mtl::Batch batch;
  batch.inputs.insert("x", x);
  batch.targets.insert("a", 3 + x.sum(1));
  batch.targets.insert("same", 3 + x.sum(1));
  batch.targets.insert("opposite", -3 - x.sum(1));
  return batch;
}

}  // namespace

TEST_CASE("task_affinity: rows of weight 0 are left out, also of a BatchNorm's statistics") {
  torch::manual_seed(2);
  auto model = model_of(torch::nn::Sequential(torch::nn::Linear(4, 6), torch::nn::BatchNorm1d(6)));
  const mtl::Batch all = batch_of();
  mtl::Batch weighted = all, fewer;
  weighted.sample_weights = torch::ones(20);
  weighted.sample_weights.slice(0, 15).zero_();
  fewer.inputs.insert("x", all.inputs["x"].slice(0, 0, 15));
  for (const auto& item : all.targets)
    fewer.targets.insert(item.key(), item.value().slice(0, 0, 15));
  const auto found = task_affinity(model, weighted, 0.05),
             expected = task_affinity(model, fewer, 0.05);
  CHECK((found - expected).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("task_affinity: one minus the ratio of losses after a step made by hand") {
  auto model = model_of(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {6}}));
  const mtl::Batch batch = batch_of();
  const auto affinity = task_affinity(model, batch, 0.05);
  const auto loss_of = [&](const char* name) {
    return torch::mse_loss(model->forward(batch.inputs)[name].squeeze(1), batch.targets[name]);
  };
  const Tensor before = loss_of("opposite");
  const auto shared = model->shared_parameters();
  const auto gradients = torch::autograd::grad({loss_of("a")}, shared);
  {
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < shared.size(); ++p) Tensor(shared[p]).sub_(gradients[p], 0.05);
  }
  CHECK(affinity(0, 2) ==
        Approx(1 - loss_of("opposite").item<double>() / before.item<double>()).epsilon(1e-12));
}

TEST_CASE("task_affinity: equal tasks help as much as oneself, opposite ones harm") {
  auto model = model_of(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {6}}));
  const auto affinity = task_affinity(model, batch_of(), 0.01);
  CHECK(affinity(0, 0) > 0);
  CHECK(affinity(0, 1) == Approx(affinity(0, 0)));
  CHECK(affinity(0, 2) < 0);
  CHECK(affinity(2, 0) < 0);
}

TEST_CASE("task_affinity: weights, gradients, buffers and generator stay as they are") {
  auto model =
      model_of(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {6}, .dropout = 0.5}));
  model->train();
  torch::manual_seed(5);
  const Tensor expected = torch::rand({3});
  std::vector<Tensor> before;
  for (const Tensor& parameter : model->parameters()) before.push_back(parameter.clone());
  torch::manual_seed(5);
  const auto first = task_affinity(model, batch_of(), 0.01);
  CHECK(torch::rand({3}).equal(expected));
  size_t p = 0;
  for (const Tensor& parameter : model->parameters()) {
    CHECK(parameter.equal(before[p++]));
    CHECK_FALSE(parameter.grad().defined());
  }
  torch::manual_seed(5);
  CHECK(task_affinity(model, batch_of(), 0.01).isApprox(first, 0));
}

TEST_CASE("task_affinity: a task without labels is unknown, a senseless rate an Error") {
  auto model = model_of(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {6}}));
  mtl::Batch batch = batch_of();
  batch.targets["same"].fill_(std::nan(""));
  const auto affinity = task_affinity(model, batch, 0.01);
  CHECK(std::isnan(affinity(0, 1)));
  CHECK(std::isnan(affinity(1, 0)));
  CHECK(std::isfinite(affinity(0, 2)));
  CHECK_THROWS_AS(task_affinity(model, batch, 0), mtl::Error);
  CHECK_THROWS_AS(task_affinity(model, batch, std::nan("")), mtl::Error);
}

TEST_CASE(
    "task_affinity: a loss below zero that falls is helped, and a NoGradGuard changes nothing") {
  const auto shifted = [](double by) {
    torch::manual_seed(1);
    mtl::TaskRegistry tasks;
    tasks.add({.name = "a",
               .head = mtl::nn::LinearHead(6, 1),
               .loss = [by](const Tensor& p, const Tensor& t) {
                 return (p.squeeze(1) - t).square() - by;
               }});
    mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 4, .hidden_sizes = {6}}), tasks);
    model->to(torch::kDouble);
    return model;
  };
  const double above = task_affinity(shifted(0), batch_of(), 0.001)(0, 0);
  CHECK(above > 0);
  CHECK(task_affinity(shifted(1000), batch_of(), 0.001)(0, 0) > 0);
  const torch::NoGradGuard no_grad;
  CHECK(task_affinity(shifted(0), batch_of(), 0.001)(0, 0) == above);
}
