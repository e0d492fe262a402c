#include "catch.hpp"
#include "mtl/nn/layer.hpp"

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

TEST_CASE("Layer: any module with a forward is an encoder or a head") {
  mtl::Encoder encoder = torch::nn::Sequential(torch::nn::Linear(2, 3), torch::nn::Tanh());
  CHECK(encoder.forward(torch::zeros({4, 2})).sizes() == torch::IntArrayRef({4, 3}));
  CHECK(encoder.module()->parameters().size() == 2);
  CHECK_FALSE(mtl::Head());
  CHECK_FALSE(mtl::Head(torch::nn::Linear(nullptr)));
}
