#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("GradNorm: golden weights, loss and gradient of the logits") {
  for (const auto& entry : golden("scalarizers.json")["cases"]) {
    const auto& g = entry["expected"]["gradnorm"];
    const auto found = GradNorm::balance(golden_values::vector(g["logits"]),
                                         golden_values::vector(g["gradient_norms"]),
                                         golden_values::vector(g["losses_now"]),
                                         golden_values::vector(g["losses_first"]), g["alpha"]);
    CHECK((found.weights - golden_values::vector(g["weights"])).norm() <= 1e-9);
    CHECK(found.loss == Approx(g["gradnorm_loss"].get<double>()).epsilon(1e-9));
    CHECK((found.gradient - golden_values::vector(g["grad_logits"])).norm() <= 1e-9);
  }
}

TEST_CASE("GradNorm: an absent task's logit has no gradient and rests under momentum") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}, {2, 2}});
  GradNorm combiner(3);
  torch::optim::SGD sgd(combiner.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  const auto step = [&](const TaskLosses& losses) {
    for (Tensor parameter : combiner.parameters()) parameter.mutable_grad().reset();
    combiner.backward(losses, loop.parameters());
    sgd.step();
  };
  step(loop.losses());
  const double before = combiner.parameters()[1].item<double>();
  for (int k = 0; k < 5; ++k) step(only(loop.losses(), {0, 2}));
  CHECK(combiner.parameters()[1].item<double>() == before);
}

TEST_CASE("GradNorm: a state from before the first step loads; a bad loss changes nothing") {
  GradNorm fresh, other;
  other.load_state_dict(fresh.state_dict());
  OwnLoop loop(MatrixXd{{1, 2}, {-3, -1}});
  CHECK_THROWS_AS(other.backward(loop.losses(), loop.parameters()), FaultyStep);
  CHECK(vector_of(other.state_dict()["first_losses"]).isZero(0));
  CHECK_FALSE(loop.x.grad().defined());
  CHECK(fresh.weights(MatrixXd::Identity(3, 3)).isApprox(VectorXd::Ones(3)));
}
