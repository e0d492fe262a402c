#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("MoCo: golden sequences") { check_sequence("moco", "moco"); }

TEST_CASE("MoCo: a loss below zero, which would turn its row, is a fault of the step") {
  OwnLoop loop(MatrixXd{{1, 2}, {-3, -1}});
  MoCo combiner;
  CHECK_THROWS_AS(combiner.backward(loop.losses(), loop.parameters()), FaultyStep);
  CHECK_FALSE(loop.x.grad().defined());
}
