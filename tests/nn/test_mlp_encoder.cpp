#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"

TEST_CASE("MlpEncoder: linear layers with the activation after each") {
  torch::manual_seed(1);
  mtl::nn::MlpEncoder mlp({.input_size = 3, .hidden_sizes = {4, 2}});
  const auto p = mlp->named_parameters();
  const auto x = torch::randn({5, 3});
  const auto hidden = torch::relu(torch::linear(x, p["layers.0.weight"], p["layers.0.bias"]));
  CHECK(mlp->forward(x).allclose(
      torch::relu(torch::linear(hidden, p["layers.1.weight"], p["layers.1.bias"]))));
}

TEST_CASE("MlpEncoder: options and inputs that make no sense are errors") {
  using mtl::nn::MlpEncoder;
  CHECK(contains(error_text([] { MlpEncoder({.hidden_sizes = {4}}); }), "layer size of 0"));
  CHECK(contains(error_text([] { MlpEncoder({.input_size = 4}); }), "no layer"));
  for (const double dropout : {-0.1, 1.0, std::nan("")})
    CHECK(contains(
        error_text([&] { MlpEncoder({.input_size = 4, .hidden_sizes = {3}, .dropout = dropout}); }),
        "is not in [0, 1)"));
  MlpEncoder encoder({.input_size = 4, .hidden_sizes = {3}});
  CHECK(contains(error_text([&] {
                   encoder->forward(torch::randn({2, 5}));
                 }),
                 "found input [2, 5], expected [N, 4]"));
}
