#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("RandomWeights: the softmax of given draws") {
  RandomWeights combiner(
      {.draws = [](int64_t n) { return VectorXd(VectorXd::LinSpaced(n, 0, double(n - 1))); }});
  const VectorXd e = Eigen::Vector3d(0, 1, 2).array().exp();
  CHECK(combiner.weights(MatrixXd::Identity(3, 3)).isApprox(e / e.sum(), 1e-12));
  RandomWeights wrong({.draws = [](int64_t) { return VectorXd(VectorXd::Zero(1)); }});
  CHECK(contains(error_text([&] { wrong.weights(MatrixXd::Identity(3, 3)); }), "1 draws"));
}

TEST_CASE("RandomWeights: new in each step, and the seed decides") {
  RandomWeights a({.seed = 4}), b({.seed = 4});
  const MatrixXd g = MatrixXd::Identity(3, 3);
  const VectorXd first = a.weights(g), second = a.weights(g);
  CHECK(first.sum() == Approx(1));
  CHECK_FALSE(first == second);
  CHECK(b.weights(g) == first);
}
