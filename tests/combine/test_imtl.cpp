#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("Imtl: losses scaled by e^s, s by its own gradient, weights by ImtlG") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}});
  Imtl combiner(2);
  const std::vector<Tensor> s = combiner.parameters();
  REQUIRE(s.size() == 2);
  {
    torch::NoGradGuard no_grad;
    Tensor(s[0]).fill_(0.5);
  }
  const TaskLosses losses = loop.losses();
  combiner.backward(losses, loop.parameters());
  CHECK(s[0].grad().item<double>() == Approx(std::exp(0.5) * losses.values[0].item<double>() - 1));
  CHECK(s[1].grad().item<double>() == Approx(losses.values[1].item<double>() - 1));
  const MatrixXd rows{{std::exp(0.5), 2 * std::exp(0.5)}, {3, -1}};
  CHECK(vector_of(loop.x.grad()).isApprox(direction("imtl_g", rows), 1e-9));
}

TEST_CASE("Imtl: an absent task's scale has no gradient, and a state before the first step loads") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}, {2, 2}});
  Imtl combiner(TaskCount(3));
  const TaskLosses some = only(loop.losses(), {0, 2});
  combiner.backward(some, loop.parameters());
  CHECK(combiner.parameters()[0].grad().defined());
  CHECK_FALSE(combiner.parameters()[1].grad().defined());

  Imtl fresh;
  CHECK(contains(error_text([&] { fresh.parameters(); }), "how many tasks"));
  const NamedTensors before = fresh.state_dict();
  Imtl other;
  other.load_state_dict(before);
  other.set_task_count(3);
  CHECK(other.parameters().size() == 3);
  CHECK(contains(error_text([&] { other.set_task_count(2); }), "kept for 3 tasks"));
}

TEST_CASE("Imtl: a loss below zero is a fault of the step") {
  OwnLoop loop(MatrixXd{{-1, -2}, {3, -1}});
  Imtl combiner;
  CHECK_THROWS_AS(combiner.backward(loop.losses(), loop.parameters()), FaultyStep);
  CHECK_FALSE(loop.x.grad().defined());
}
