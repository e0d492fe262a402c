#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"
#include "mtl/nn/weights.hpp"

TEST_CASE("weights: copied in by name; foreign weights change nothing") {
  mtl::nn::MlpEncoder a({.input_size = 3, .hidden_sizes = {4}}),
      b({.input_size = 3, .hidden_sizes = {4}});
  mtl::nn::load_weights(*b, mtl::nn::weights(*a));
  CHECK(a->parameters()[0].equal(b->parameters()[0]));

  mtl::nn::MlpEncoder wider({.input_size = 3, .hidden_sizes = {5}});
  const auto before = b->parameters()[0].clone();
  CHECK(contains(error_text([&] { mtl::nn::load_weights(*b, mtl::nn::weights(*wider)); }),
                 "[5, 3], the model's has [4, 3]"));
  mtl::nn::MlpEncoder deeper({.input_size = 3, .hidden_sizes = {4, 4}});
  CHECK(contains(error_text([&] { mtl::nn::load_weights(*b, mtl::nn::weights(*deeper)); }),
                 "not part of the model"));
  CHECK(contains(error_text([&] { mtl::nn::load_weights(*deeper, mtl::nn::weights(*b)); }),
                 "of the model is not there"));
  CHECK(b->parameters()[0].equal(before));
}

TEST_CASE("weights: the module's own may change places") {
  mtl::nn::MlpEncoder net({.input_size = 3, .hidden_sizes = {3, 3}});
  const auto own = mtl::nn::weights(*net), before = mtl::nn::cloned(own);
  mtl::NamedTensors exchanged;
  for (const auto* name : {"weight", "bias"}) {
    exchanged.insert(std::string("layers.0.") + name, own[std::string("layers.1.") + name]);
    exchanged.insert(std::string("layers.1.") + name, own[std::string("layers.0.") + name]);
  }
  mtl::nn::load_weights(*net, exchanged);
  CHECK(own["layers.0.weight"].equal(before["layers.1.weight"]));
  CHECK(own["layers.1.weight"].equal(before["layers.0.weight"]));
  CHECK(own["layers.1.bias"].equal(before["layers.0.bias"]));
}

TEST_CASE("weights: one value in several places takes one, and refuses several") {
  torch::nn::Linear module(2, 2);
  module->register_buffer("scale", torch::ones({1}).expand({3}));
  auto values = mtl::nn::cloned(mtl::nn::weights(*module));
  values["scale"].fill_(4);
  mtl::nn::load_weights(*module, values);
  CHECK(module->named_buffers()["scale"].equal(torch::full({3}, 4.0)));

  values["scale"][1] = 5;
  values["weight"].fill_(7);
  CHECK(contains(error_text([&] { mtl::nn::load_weights(*module, values); }),
                 "\"scale\" is expanded"));
  CHECK_FALSE(module->weight.eq(7).any().item<bool>());
}

TEST_CASE("load_weights: complex weights do not become real ones") {
  torch::nn::Linear net(2, 1);
  auto values = mtl::nn::cloned(mtl::nn::weights(*net));
  values["weight"] = torch::complex(values["weight"], torch::ones({1, 2}));
  const auto before = net->weight.detach().clone();
  CHECK(
      contains(error_text([&] { mtl::nn::load_weights(*net, values); }), "\"weight\" is complex"));
  CHECK(net->weight.equal(before));
}
