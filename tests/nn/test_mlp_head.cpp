#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/nn/heads/mlp_head.hpp"

TEST_CASE("MlpHead: the last layer is linear") {
  torch::manual_seed(1);
  mtl::nn::MlpHead head({.input_size = 3, .hidden_sizes = {4}, .output_size = 2});
  const auto p = head->named_parameters();
  const auto x = torch::randn({5, 3});
  const auto hidden = torch::relu(torch::linear(x, p["layers.0.weight"], p["layers.0.bias"]));
  CHECK(head->forward(x).allclose(torch::linear(hidden, p["layers.1.weight"], p["layers.1.bias"])));
}

TEST_CASE("MlpHead: without an output size it is an error") {
  CHECK(contains(error_text([] { mtl::nn::MlpHead({.input_size = 4, .hidden_sizes = {3}}); }),
                 "no output_size"));
}
