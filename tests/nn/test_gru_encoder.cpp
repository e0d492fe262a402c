#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/nn/encoders/gru_encoder.hpp"

TEST_CASE("GruEncoder: the last step's output, the same as torch's module gives") {
  const auto x = torch::randn({5, 7, 3});
  torch::manual_seed(2);
  mtl::nn::GruEncoder gru({.input_size = 3, .hidden_size = 4});
  torch::manual_seed(2);
  torch::nn::GRU plain_gru(torch::nn::GRUOptions(3, 4).batch_first(true));
  CHECK(gru->forward(x).allclose(std::get<0>(plain_gru->forward(x)).select(1, 6)));
}

TEST_CASE("GruEncoder: options and inputs that make no sense are errors") {
  CHECK(contains(error_text([] { mtl::nn::GruEncoder({.input_size = 3, .hidden_size = 0}); }),
                 "gru encoder: input_size 3, hidden_size 0"));
  mtl::nn::GruEncoder gru({.input_size = 3, .hidden_size = 4});
  CHECK(contains(error_text([&] { gru->forward(torch::randn({2, 3})); }), "found input [2, 3]"));
}
