#include <torch/torch.h>

#include <stdexcept>

#include "catch.hpp"
#include "mtl/nn/keep_modes.hpp"

TEST_CASE("each part of a module is in its own mode again, also after an exception", "[nn]") {
  torch::nn::Sequential net(torch::nn::Dropout(), torch::nn::Sequential(torch::nn::Dropout()));
  net->train();
  net[1]->as<torch::nn::SequentialImpl>()->at<torch::nn::DropoutImpl>(0).eval();  // a frozen part
  const auto evaluate_and_fail = [&] {
    const mtl::nn::KeepModes modes(*net);
    net->eval();
    throw std::runtime_error("no");
  };
  CHECK_THROWS(evaluate_and_fail());
  CHECK(net->is_training());
  CHECK(net[0]->is_training());
  CHECK(net[1]->is_training());
  CHECK_FALSE(net[1]->as<torch::nn::SequentialImpl>()->at<torch::nn::DropoutImpl>(0).is_training());
}
