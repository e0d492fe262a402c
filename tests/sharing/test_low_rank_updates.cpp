#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

using RankLayer = mtl::LowRankUpdates::Layer;

mtl::LowRankUpdates low_rank_model(const std::vector<std::string>& tasks, int64_t rank = 2) {
  return mtl::LowRankUpdates(
      {{torch::nn::Linear(2, 3), false}, {torch::nn::Linear(3, 5)}, {torch::nn::Linear(5, 4)}},
      tasks_named(tasks),
      {.rank = rank,
       .task_rank = 1,
       .scale = 0.5,
       .task_scale = 2,
       .activation = mtl::nn::Activation::tanh});
}

}  // namespace

TEST_CASE("LowRankUpdates: predictions and gradients are the formula's, also of one task") {
  check_golden("low_rank_updates", *low_rank_model({"a", "b", "c"}));
  check_golden("low_rank_updates", *low_rank_model({"a"}));
}

TEST_CASE("LowRankUpdates: rank times (in + out) parameters an update, as the paper counts") {
  auto model = low_rank_model({"a", "b", "c"});
  check_ownership(*model);
  CHECK(element_count(model->task_parameters("b")) == (3 + 5) + (5 + 4) + (4 + 1));
  CHECK(element_count(model->shared_parameters()) ==
        (9 + 20 + 24) + 2 * ((2 + 3) + (3 + 5) + (5 + 4)));
  CHECK_FALSE(model->representation().defined());
  check_copies(model);
  CHECK(element_count(low_rank_model({"a", "b"}, 0)->shared_parameters()) == 9 + 20 + 24);
}

TEST_CASE("LowRankUpdates: begins as the layers that were given") {
  auto model = low_rank_model({"a", "b"});
  const auto x = torch::randn({3, 2});
  auto h = x;
  for (const auto& layer : model->layers())
    h = torch::tanh(torch::nn::functional::linear(h, layer.linear->weight, layer.linear->bias));
  CHECK(model->forward({{"x", x}})["b"].allclose(model->tasks()[1].head.forward(h)));
}

TEST_CASE("LowRankUpdates: frozen layers stay, updates and heads learn") {
  auto model = low_rank_model({"a", "b"});
  for (const auto& layer : model->layers())
    for (auto& parameter : layer.linear->parameters()) parameter.set_requires_grad(false);
  const auto before = mtl::nn::cloned(mtl::nn::weights(*model));
  torch::optim::SGD sgd(model->parameters(), 0.1);
  for (int step = 0; step < 2; ++step) {  // A learns once B is no longer zero
    sgd.zero_grad();
    const auto out = model->forward({{"x", torch::randn({8, 2})}});
    (out["a"].sum() + out["b"].square().sum()).backward();
    sgd.step();
  }
  for (const auto& item : mtl::nn::weights(*model)) {
    INFO(item.key());
    CHECK(item.value().equal(before[item.key()]) == item.key().starts_with("layers."));
  }
}

TEST_CASE("LowRankUpdates: without updates by task all tasks see one representation") {
  mtl::LowRankUpdates model({{torch::nn::Linear(2, 4), false}}, tasks_named({"a", "b"}));
  const auto out = model->forward({{"x", torch::randn({3, 2})}});
  CHECK(out["a"].equal(model->tasks()[0].head.forward(model->representation())));
}

TEST_CASE("LowRankUpdates: layers and options that do not fit are errors") {
  const auto text = [](std::vector<RankLayer> layers, mtl::LowRankUpdates::Options options = {}) {
    return error_text([&] {
      mtl::LowRankUpdates(std::move(layers), tasks_named({"a"}), options)
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  const torch::nn::Linear one(2, 2);
  CHECK(contains(text({}), "no layer"));
  CHECK(contains(text({{torch::nn::Linear(nullptr)}}), "layer 0 is empty"));
  CHECK(contains(text({{one}, {one}}), "layers 0 and 1 are one module"));
  CHECK(contains(text({{one}}, {.rank = -1}), "rank -1"));
  CHECK(contains(text({{torch::nn::Linear(2, 4)}}, {.task_rank = 0}), "task_rank 0"));
  CHECK(contains(text({{torch::nn::Linear(3, 4)}}), "layer 0 does not take the input [3, 2]"));
}
