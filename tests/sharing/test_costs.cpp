#include "error_text.hpp"
#include "mtl/nn/nn.hpp"
#include "way_checks.hpp"

TEST_CASE("costs: of hard sharing, by hand") {
  mtl::HardSharing model(tanh_layer(2, 4), tasks_named({"a", "b"}));
  const auto found = mtl::costs(model, {{"x", torch::randn({1, 2})}});
  CHECK(found.parameters == (2 * 4 + 4) + 2 * (4 + 1));
  CHECK(found.multiply_adds == 2 * 4 + 2 * 4);
  const auto& b = found.at("b");
  CHECK(b.parameters == (2 * 4 + 4) + (4 + 1));
  CHECK(b.own_parameters == 4 + 1);
  CHECK(b.multiply_adds == 2 * 4 + 4);
  CHECK(b.own_multiply_adds == 4);
  CHECK(mtl::costs(model, {{"x", torch::randn({7, 2})}}).multiply_adds == 7 * (2 * 4 + 2 * 4));
  CHECK(contains(error_text([&] { static_cast<void>(found.at("c")); }), "no task \"c\""));
}

TEST_CASE("costs: an expert that serves one task only is that task's") {
  mtl::ProgressiveLayeredExtraction model(
      {{.by_task = mtl::several(2, [] { return mtl::several(1, [] { return tanh_layer(2, 4); }); }),
        .shared = {tanh_layer(2, 4)},
        .gate_input_size = 2}},
      tasks_named({"a", "b"}));
  const auto found = mtl::costs(model, {{"x", torch::randn({1, 2})}});
  // Expert 8, gate 2 * 2, mixture of two outputs of 4, head 4.
  CHECK(found.at("a").own_multiply_adds == 8 + 4 + 2 * 4 + 4);
  CHECK(found.at("a").multiply_adds == 2 * 8 + 4 + 2 * 4 + 4);
  CHECK(found.multiply_adds == 3 * 8 + 2 * (4 + 2 * 4 + 4));
}

TEST_CASE("costs: convolutions, an LSTM, and a head on every pixel") {
  using namespace torch::nn;
  mtl::HardSharing pictures(
      Sequential(Conv2d(Conv2dOptions(2, 6, 3).padding(1).groups(2)), BatchNorm2d(6),
                 ConvTranspose2d(ConvTranspose2dOptions(6, 3, 2).stride(2))),
      {{.name = "map", .head = Conv2d(Conv2dOptions(3, 5, 1)), .loss = mtl::MeanSquaredError{}}});
  CHECK(mtl::costs(pictures, {{"x", torch::randn({1, 2, 4, 4})}}).multiply_adds ==
        6 * 16 * 1 * 9 + 6 * 16 * 3 * 4 + 5 * 64 * 3);

  mtl::HardSharing words(mtl::nn::LstmEncoder({.input_size = 3, .hidden_size = 4}),
                         tasks_named({"a", "b"}));
  const auto found = mtl::costs(words, {{"x", torch::randn({1, 5, 3})}});
  CHECK(found.multiply_adds == 5 * (16 * 3 + 16 * 4) + 2 * 4);
  CHECK(found.at("a").multiply_adds == 5 * (16 * 3 + 16 * 4) + 4);
  words->to(torch::kDouble);
  CHECK(mtl::costs(words, {{"x", torch::randn({1, 5, 3}, torch::kDouble)}}).at("a").multiply_adds ==
        found.at("a").multiply_adds);
}

TEST_CASE("costs: the model stays as it is; frozen parameters count") {
  mtl::HardSharing model(torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4),
                                               torch::nn::Dropout(0.5)),
                         tasks_named({"a"}));
  for (auto& parameter : model->shared_parameters()) parameter.set_requires_grad(false);
  model->tasks()[0].head.module()->eval();
  const auto before = mtl::nn::cloned(mtl::nn::weights(*model));
  torch::NoGradGuard no_grad;
  const auto found = mtl::costs(model, {{"x", torch::randn({1, 2}, torch::kFloat)}});
  CHECK(found.at("a").parameters == found.parameters);
  CHECK(found.at("a").multiply_adds == 8 + 4);
  CHECK(model->is_training());
  CHECK_FALSE(model->tasks()[0].head.module()->is_training());
  for (const auto& parameter : model->shared_parameters()) CHECK_FALSE(parameter.requires_grad());
  for (const auto& item : before) CHECK(mtl::nn::weights(*model)[item.key()].equal(item.value()));
}

TEST_CASE("costs: in inference mode there is nothing to count, which is an Error") {
  mtl::HardSharing model(tanh_layer(2, 4), tasks_named({"a"}));
  const mtl::NamedTensors x = {{"x", torch::zeros({1, 2})}};
  CHECK(mtl::costs(model, x).multiply_adds == 2 * 4 + 4);
  const c10::InferenceMode inference;
  CHECK(contains(error_text([&] { mtl::costs(model, x); }), "in inference mode"));
}
