#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::HardSharing with_statistics() {
  return mtl::HardSharing(torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4),
                                                torch::nn::Dropout(0.5)),
                          tasks_named({"a", "b"}));
}

}  // namespace

TEST_CASE("freeze: a part by its name, whole segments only, and back") {
  mtl::HardSharing model(tanh_layer(2, 4), tasks_named({"a", "ab"}));
  mtl::freeze(model, "heads.a");
  const auto parameters = model->named_parameters();
  CHECK_FALSE(parameters["heads.a.weight"].requires_grad());
  CHECK(parameters["heads.ab.weight"].requires_grad());
  mtl::freeze(model, "heads.ab.bias");
  CHECK_FALSE(parameters["heads.ab.bias"].requires_grad());
  mtl::unfreeze(model, "");
  for (const auto& item : parameters) CHECK(item.value().requires_grad());
  CHECK(contains(error_text([&] { mtl::freeze(model, "head"); }), "its parts: encoder, heads"));
}

TEST_CASE("hold_frozen: what is frozen predicts what it did, also while the rest is trained") {
  torch::manual_seed(1);
  auto model = with_statistics();
  const auto x = torch::randn({8, 2});
  model->eval();
  const auto before = model->encoder().forward(x);
  const auto buffers = mtl::nn::cloned(model->named_buffers());
  mtl::freeze(model, "encoder.0");
  mtl::freeze(model, "encoder.1");
  model->train();
  mtl::hold_frozen(model);
  CHECK_FALSE(model->encoder().module()->is_training());
  CHECK(model->tasks()[0].head.module()->is_training());
  model->forward({{"x", x}});
  const auto after = model->named_buffers();
  for (const auto& item : buffers) CHECK(after[item.key()].equal(item.value()));
  model->eval();
  CHECK(model->encoder().forward(x).equal(before));
}

TEST_CASE("hold_frozen: beside a frozen layer the others go on") {
  auto model = with_statistics();
  mtl::freeze(model, "encoder.1");
  model->train();
  mtl::hold_frozen(model);
  CHECK(model->encoder().module()->is_training());
  const auto layers = model->encoder().module()->named_children();
  for (const auto& layer_now : layers)
    CHECK(layer_now.value()->is_training() == (layer_now.key() != "1"));
}

TEST_CASE("freeze: the last gradient goes, with which an optimizer made anew would go on") {
  torch::manual_seed(2);
  mtl::HardSharing model(tanh_layer(2, 4), tasks_named({"a"}));
  const auto x = torch::randn({8, 2});
  model->forward({{"x", x}})["a"].sum().backward();
  mtl::freeze(model, "encoder");
  const auto before = model->encoder().module()->parameters()[0].detach().clone();
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(0.1).weight_decay(0.1));
  adam.zero_grad();
  model->forward({{"x", x}})["a"].sum().backward();
  adam.step();
  CHECK(model->encoder().module()->parameters()[0].equal(before));
}
