#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("Mgda: golden directions") { check_golden("mgda", "mgda"); }

TEST_CASE("Mgda: rows are divided by lengths, losses or both before the weights are sought") {
  const MatrixXd rows{{2, 0}, {0, 4}};
  const auto weights = [&](const std::string& scale, const std::vector<double>& losses) {
    const auto problem = std::make_shared<LinearProblem>(2, 2);
    const auto combiner = make_combiner("mgda:scale=" + scale);
    const Tensor values = torch::tensor(losses, torch::kDouble);
    const VectorXd d =
        vector_of(problem->step(*combiner, problem->losses(tensor_of(rows), values)));
    return VectorXd(Eigen::Vector2d(d[0] / 2, d[1] / 4));
  };
  // Orthogonal rows of lengths a, b: the weights are as 1/a^2 to 1/b^2.
  CHECK(weights("none", {1, 1}).isApprox(Eigen::Vector2d(0.8, 0.2), 1e-12));
  CHECK(weights("l2", {1, 1}).isApprox(Eigen::Vector2d(0.5, 0.5), 1e-12));
  CHECK(weights("loss", {1, 2}).isApprox(Eigen::Vector2d(0.5, 0.5), 1e-12));
  CHECK(weights("loss+", {1, 2}).isApprox(Eigen::Vector2d(0.2, 0.8), 1e-12));
  CHECK(contains(error_text([&] { weights("loss", {1, -2}); }), "above zero"));
  CHECK(contains(error_text([&] { direction("mgda:scale=loss", rows); }), "needs the losses"));
}

TEST_CASE("Mgda: where one task has converged the encoder rests and every head learns") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}});
  Mgda mgda;
  mgda.report_every(1);
  mgda.backward(loop.losses({1}), loop.parameters());
  CHECK(mgda.last_report()->stationary);
  CHECK(loop.x.grad().abs().max().item<double>() == 0);
  for (size_t t = 0; t < 2; ++t)
    CHECK(loop.heads[t].grad().item<double>() == Approx(loop.head_gradient(t)));
}
