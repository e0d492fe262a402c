#include <torch/optim/adagrad.h>
#include <torch/optim/lbfgs.h>

#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

// What the optimizer holds is what is trained, zeroed and clipped.

namespace {

/// A combiner with something to learn and no use for it.
struct HasParameter : mtl::Sum {
  torch::Tensor s = torch::ones({2}, torch::requires_grad());
  std::vector<torch::Tensor> parameters() override { return {s}; }
};

mtl::BatchLoader some_batches() { return mtl::BatchLoader(weather_like(32, 1), {.batch_size = 8}); }

double norm_of(const std::vector<torch::Tensor>& parameters) {
  double square = 0;
  for (const auto& parameter : parameters)
    if (parameter.grad().defined()) square += parameter.grad().square().sum().item<double>();
  return std::sqrt(square);
}

struct WatchNorms {
  std::vector<torch::Tensor> parameters;
  std::vector<double>* norms;
  void on_gradients(mtl::TrainState&) { norms->push_back(norm_of(parameters)); }
};

}  // namespace

TEST_CASE("Trainer: an optimizer that cannot be served is refused when the trainer is made") {
  auto model = two_task_model(), other = two_task_model();
  mtl::Sum sum;
  const auto text = [&](torch::optim::Optimizer& optimizer) {
    return error_text([&] { mtl::Trainer(model, optimizer, sum); });
  };
  torch::optim::SGD of_another(other->parameters(), 0.1);
  CHECK(contains(text(of_another), "none of the model's parameters"));

  auto twice = model->parameters();
  twice.push_back(twice.front());
  torch::optim::SGD doubled(twice, 0.1);
  CHECK(contains(text(doubled), "\"encoder.layers.0.weight\" twice (groups 0 and 0)"));

  torch::optim::SGD encoder_only(model->shared_parameters(), 0.1);
  CHECK(contains(text(encoder_only), "no parameter of task \"temp\" (such as \"heads.temp."));
  for (const char* task : {"temp", "sky"})
    for (auto& parameter : model->task_parameters(task)) parameter.set_requires_grad(false);
  CHECK(text(encoder_only).empty());

  torch::optim::LBFGS lbfgs(model->parameters());
  CHECK(contains(text(lbfgs), "LBFGS"));
}

TEST_CASE("Trainer: learnable parameters of the combiner join once, without weight decay") {
  auto model = two_task_model();
  torch::optim::AdamW adam(model->parameters(), torch::optim::AdamWOptions(0.1).weight_decay(0.5));
  HasParameter combiner;
  auto loader = some_batches();
  for (int phase = 0; phase < 2; ++phase) {
    mtl::Trainer(model, adam, combiner, {.epochs = 1}).fit(loader);
    REQUIRE(adam.param_groups().size() == 2);
  }
  using Options = torch::optim::AdamWOptions;
  auto& groups = adam.param_groups();
  CHECK(static_cast<Options&>(groups[0].options()).weight_decay() == 0.5);
  CHECK(static_cast<Options&>(groups[1].options()).weight_decay() == 0);
  CHECK(combiner.s.equal(torch::ones({2})));
}

TEST_CASE("Trainer: where the combiner's parameters are in the optimizer already they stay so") {
  auto model = two_task_model();
  HasParameter combiner;
  auto all = model->parameters();
  all.push_back(combiner.s);
  torch::optim::SGD sgd(all, 0.1);
  mtl::Trainer trainer(model, sgd, combiner);
  CHECK(sgd.param_groups().size() == 1);
}

TEST_CASE("Trainer: two phases with Kendall's weights take the steps of one run of both") {
  const auto variances_after = [](int64_t first, int64_t second) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9));
    mtl::KendallUncertainty kendall(model->tasks());
    mtl::BatchLoader loader(weather_like(32, 1), {.batch_size = 8});
    mtl::Trainer(model, sgd, kendall, {.epochs = first}).fit(loader);
    if (second > 0) mtl::Trainer(model, sgd, kendall, {.epochs = second}).fit(loader);
    std::vector<torch::Tensor> values;
    for (const auto& parameter : kendall.parameters())
      values.push_back(parameter.detach().reshape(-1).clone());
    return torch::cat(values);
  };
  CHECK(variances_after(2, 2).equal(variances_after(4, 0)));
}

TEST_CASE("Trainer: an optimizer on the heads alone clips their gradient alone") {
  auto model = two_task_model();
  std::vector<torch::Tensor> heads;
  for (const char* task : {"temp", "sky"})
    for (const auto& parameter : model->task_parameters(task)) heads.push_back(parameter);
  const auto encoder_before = model->shared_parameters()[0].detach().clone();
  torch::optim::SGD sgd(heads, 0.01);
  mtl::Sum sum;
  std::vector<double> head_norms, encoder_norms;
  auto loader = some_batches();
  const auto run = mtl::Trainer(model, sgd, sum, {.epochs = 5, .max_grad_norm = 0.05})
                       .fit(loader, WatchNorms{heads, &head_norms},
                            WatchNorms{model->shared_parameters(), &encoder_norms});
  REQUIRE(head_norms.size() == 20);
  for (const double norm : head_norms) CHECK(norm == Approx(0.05).epsilon(1e-3));
  // Not one gradient upon the other: at frozen weights they would grow from step to step.
  CHECK(encoder_norms.back() < 4 * encoder_norms.front());
  CHECK(model->shared_parameters()[0].equal(encoder_before));
  CHECK(run.untrained ==
        std::vector<std::string>{"encoder.layers.0.weight", "encoder.layers.0.bias"});
  CHECK(contains(run.report(), "not in the optimizer"));
}

TEST_CASE("Trainer: a combiner's own parameters are clipped with the others") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::KendallUncertainty kendall(model->tasks());
  mtl::Trainer trainer(model, sgd, kendall, {.epochs = 1, .max_grad_norm = 0.1});
  auto all = model->parameters();
  for (const auto& parameter : kendall.parameters()) all.push_back(parameter);
  std::vector<double> norms;
  auto loader = some_batches();
  trainer.fit(loader, WatchNorms{all, &norms});
  for (const double norm : norms) CHECK(norm == Approx(0.1).epsilon(1e-3));
}

TEST_CASE("Trainer: Error: Adagrad and a combiner that learns; alone it trains") {
  auto model = two_task_model();
  torch::optim::Adagrad adagrad(model->parameters(), torch::optim::AdagradOptions(0.1));
  const auto text = error_text([&] { mtl::Trainer(model, adagrad, mtl::KendallUncertainty()); });
  CHECK(contains(text, "Adagrad knows only the parameters that it was made with"));
  CHECK(adagrad.param_groups().size() == 1);
  auto train = some_batches();
  CHECK(mtl::Trainer(model, adagrad, mtl::Sum(), {.epochs = 1}).fit(train).epochs() == 1);
}
