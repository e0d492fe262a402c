#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("MoCo: golden sequences") { check_sequence("moco", "moco"); }

TEST_CASE("MoCo: a loss below zero, which would turn its row, is a fault of the step") {
  OwnLoop loop(MatrixXd{{1, 2}, {-3, -1}});
  MoCo combiner;
  CHECK_THROWS_AS(combiner.backward(loop.losses(), loop.parameters()), FaultyStep);
  CHECK_FALSE(loop.x.grad().defined());
}

TEST_CASE("MoCo: means over many steps are not lost in bfloat16") {
  MoCo combiner({.beta = 0.001, .beta_sigma = 0});
  const Rows rows{{torch::ones({1}, torch::kBFloat16)}};
  for (int k = 0; k < 1000; ++k) combiner.direction(rows);
  CHECK(combiner.state_dict()["mean.0.0"].item<double>() ==
        Approx(1 - std::pow(0.999, 1000)).epsilon(1e-4));
}
