#include <limits>

#include "catch.hpp"
#include "complex_layer.hpp"
#include "error_text.hpp"

namespace {

/// The model after some steps of SGD with groups for the encoder and for all else.
torch::Tensor penalized(mtl::WeightPenalty penalty, double weight_decay, bool by_hand = false) {
  auto model = two_task_model();
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(model->shared_parameters());
  std::vector<torch::Tensor> heads;
  for (const auto* task : {"temp", "sky"})
    for (const auto& parameter : model->task_parameters(task)) heads.push_back(parameter);
  groups.emplace_back(heads);
  torch::optim::SGD sgd(groups, torch::optim::SGDOptions(0.1));
  // Once they are made: LibTorch 2 gives a group the optimizer's decay where its own is 0.
  auto& options = static_cast<torch::optim::SGDOptions&>(sgd.param_groups()[0].options());
  options.weight_decay(weight_decay);
  struct ByHand {
    void on_gradients(mtl::TrainState& state) {
      torch::NoGradGuard no_grad;
      for (auto& parameter : state.optimizer.param_groups()[1].params())
        parameter.mutable_grad() = parameter.grad() + 0.03 * parameter.sign();
    }
  };
  mtl::BatchLoader train(weather_like(32, 1), {.batch_size = 8});
  mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 2});
  if (by_hand)
    trainer.fit(train, ByHand{});
  else
    trainer.fit(train, std::move(penalty));
  return flat(model);
}

/// Largest difference of two runs: rounding leaves some 1e-7, a penalty moves weights by 1e-3.
double apart(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace

TEST_CASE("WeightPenalty: l2 of a group is its weight decay") {
  CHECK(apart(penalized({.l2 = {0.05}}, 0), penalized({}, 0.05)) < 2e-6);
}

TEST_CASE("WeightPenalty: l1 is the sign of the weights, by group") {
  CHECK(apart(penalized({.l1 = {0, 0.03}}, 0), penalized({}, 0, true)) < 2e-6);
  CHECK(apart(penalized({.l1 = {0.03}}, 0), penalized({}, 0, true)) > 1e-4);
}

TEST_CASE("WeightPenalty: a head without a gradient in the step is left alone") {
  auto model = two_task_model();
  const auto before = model->task_parameters("sky")[0].detach().clone();
  auto list = batches_of(weather_like(16, 1));
  for (auto& batch : list) batch.targets = {{"temp", batch.targets["temp"]}};
  ListLoader train(list);
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 1})
      .fit(train, mtl::WeightPenalty{.l1 = {0.1}, .l2 = {0.1}});
  CHECK(model->task_parameters("sky")[0].detach().equal(before));
}

TEST_CASE("WeightPenalty: what makes no sense is named") {
  CHECK(contains(error_text([] { penalized({.l1 = {-1}}, 0); }), "found l1 -1"));
  CHECK(
      contains(error_text([] { penalized({.l2 = {std::numeric_limits<double>::infinity()}}, 0); }),
               "found l2 inf"));
  CHECK(contains(error_text([] {
                   penalized({.l2 = {1, 1, 1}}, 0);
                 }),
                 "the optimizer has 2 groups"));
}

TEST_CASE("WeightPenalty: of a sparse gradient the entries that it has") {
  auto embedding = torch::nn::Embedding(torch::nn::EmbeddingOptions(3, 2).sparse(true));
  mtl::HardSharing model(
      embedding,
      {{.name = "y", .head = mtl::nn::LinearHead(2, 1), .loss = mtl::MeanSquaredError{}}});
  torch::optim::SGD sgd(model->parameters(), 0.1);
  const auto& weight = embedding->weight;
  const auto before = weight.detach().clone();
  torch::Tensor gradient;
  struct Note {
    torch::Tensor* gradient;
    void on_gradients(mtl::TrainState& state) const {
      *gradient = state.optimizer.param_groups()[0].params()[0].grad().to_dense();
    }
  };
  mtl::BatchLoader train{
      mtl::TensorDataset({{"x", torch::tensor({0, 2, 0})}}, {{"y", torch::ones({3})}})};
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 1})
      .fit(train, Note{&gradient}, mtl::WeightPenalty{.l1 = {0.5}, .l2 = {0.25}});
  auto expected = before - 0.1 * (gradient + 0.5 * before.sign() + 0.25 * before);
  expected[1] = before[1];
  CHECK(apart(weight.detach(), expected) < 1e-6);
}

TEST_CASE("WeightPenalty: l1 of complex weights is their direction") {
  auto plain = complex_model(), penalized = complex_model();
  const auto before = complex_weight(plain).detach().clone();
  struct OneStep {
    void on_step_end(mtl::TrainState& state) { state.stop("one step"); }
  };
  complex_run(plain, {.epochs = 1}, OneStep{});
  complex_run(penalized, {.epochs = 1}, mtl::WeightPenalty{.l1 = {0.3}}, OneStep{});
  const auto expected = complex_weight(plain) - 0.01 * 0.3 * before / before.abs();
  CHECK(torch::allclose(complex_weight(penalized), expected));
}
