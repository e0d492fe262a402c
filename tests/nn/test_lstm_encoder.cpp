#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/nn/encoders/lstm_encoder.hpp"

TEST_CASE("LstmEncoder: the last step's output, the same as torch's module gives") {
  torch::manual_seed(2);
  mtl::nn::LstmEncoder lstm({.input_size = 3, .hidden_size = 4, .layers = 2, .dropout = 0.5});
  lstm->eval();
  torch::manual_seed(2);
  torch::nn::LSTM plain(torch::nn::LSTMOptions(3, 4).num_layers(2).batch_first(true));
  const auto x = torch::randn({5, 7, 3});
  CHECK(lstm->forward(x).allclose(std::get<0>(plain->forward(x)).select(1, 6)));
}

TEST_CASE("LstmEncoder: dropout and every gradient as torch's module gives") {
  torch::manual_seed(4);
  mtl::nn::LstmEncoder ours({.input_size = 3, .hidden_size = 4, .layers = 3, .dropout = 0.4});
  torch::manual_seed(4);
  torch::nn::LSTM torchs(torch::nn::LSTMOptions(3, 4).num_layers(3).dropout(0.4).batch_first(true));
  ours->to(torch::kDouble);
  torchs->to(torch::kDouble);
  // The gradients of a function of y, and those of the sum of their squares.
  const auto gradients = [](const torch::nn::Module& module, const torch::Tensor& x, auto forward) {
    torch::manual_seed(5);
    const auto y = forward(x);
    auto inputs = module.parameters();
    inputs.push_back(x);
    auto all = torch::autograd::grad({y.sin().sum()}, inputs, {}, true, true);
    auto squares = torch::zeros({}, torch::kDouble);
    for (const auto& g : all) squares = squares + g.square().sum();
    for (const auto& g : torch::autograd::grad({squares}, inputs, {}, true)) all.push_back(g);
    all.push_back(y);
    // Not recorded, as in training, and a second time through the same graph.
    for (int i = 0; i < 2; ++i)
      for (const auto& g : torch::autograd::grad({y.sin().sum()}, inputs, {}, true))
        all.push_back(g);
    return all;
  };
  for (const int64_t steps : {1, 5}) {
    const auto x = torch::randn({6, steps, 3}, torch::kDouble).requires_grad_();
    const auto a = gradients(*ours, x, [&](const auto& at) { return ours->forward(at); });
    const auto b = gradients(
        *torchs, x, [&](const auto& at) { return std::get<0>(torchs->forward(at)).select(1, -1); });
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].allclose(b[i], 1e-10, 1e-13));
  }
}

TEST_CASE("LstmEncoder: frozen weights get no gradient") {
  mtl::nn::LstmEncoder lstm({.input_size = 3, .hidden_size = 4});
  auto parameters = lstm->named_parameters();
  for (const auto* name : {"lstm.weight_ih_l0", "lstm.bias_hh_l0"})
    parameters[name].set_requires_grad(false);
  lstm->forward(torch::randn({2, 5, 3})).sum().backward();
  CHECK_FALSE(parameters["lstm.weight_ih_l0"].grad().defined());
  CHECK_FALSE(parameters["lstm.bias_hh_l0"].grad().defined());
  CHECK(parameters["lstm.weight_hh_l0"].grad().abs().sum().item<double>() > 0);
  CHECK(parameters["lstm.bias_ih_l0"].grad().abs().sum().item<double>() > 0);
}

TEST_CASE("LstmEncoder: options and inputs that make no sense are errors") {
  using mtl::nn::LstmEncoder;
  CHECK(contains(error_text([] { LstmEncoder({.input_size = 3}); }), "hidden_size 0"));
  CHECK(
      contains(error_text([] { LstmEncoder({.input_size = 3, .hidden_size = 4, .dropout = 0.3}); }),
               "dropout acts between layers"));
  CHECK(contains(error_text([] {
                   LstmEncoder(
                       {.input_size = 3, .hidden_size = 4, .layers = 2, .dropout = std::nan("")});
                 }),
                 "is not in [0, 1)"));
  LstmEncoder lstm({.input_size = 3, .hidden_size = 4});
  CHECK(contains(error_text([&] {
                   lstm->forward(torch::randn({2, 7, 5}));
                 }),
                 "found input [2, 7, 5], expected [N, steps, 3]"));
}

TEST_CASE("LstmEncoder: a batch of no rows has an answer and a gradient") {
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    mtl::nn::LstmEncoder lstm({.input_size = 3, .hidden_size = 4, .layers = 2});
    lstm->to(type);
    const auto y = lstm->forward(torch::zeros({0, 5, 3}, type));
    CHECK(y.sizes() == torch::IntArrayRef({0, 4}));
    y.sum().backward();
    for (const auto& parameter : lstm->parameters())
      CHECK(parameter.grad().equal(torch::zeros_like(parameter)));
  }
}
