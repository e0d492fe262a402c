#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>

#include <stdexcept>

#include "catch.hpp"
#include "mtl/nn/keep_modes.hpp"

TEST_CASE("KeepModes: each part is in its own mode again, also after an exception") {
  torch::nn::Linear frozen(2, 2);
  torch::nn::ModuleList inner(torch::nn::Linear(2, 2), frozen);
  torch::nn::ModuleList net(torch::nn::Linear(2, 2), inner);
  frozen->eval();
  const auto evaluate_and_fail = [&] {
    const mtl::nn::KeepModes modes(*net);
    net->eval();
    throw std::runtime_error("no");
  };
  CHECK_THROWS_AS(evaluate_and_fail(), std::runtime_error);
  CHECK(net->is_training());
  CHECK(inner->is_training());
  CHECK(inner[0]->is_training());
  CHECK_FALSE(frozen->is_training());
}
