#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("MoDo: golden weights of crossed pairs of batches") { check_cross_sequence("modo"); }

TEST_CASE("MoDo: batches with labels of different tasks") {
  std::mt19937_64 random(5);
  const MatrixXd j = random_jacobians::normal(random, 3, 6);
  const auto problem = std::make_shared<LinearProblem>(3, 6);
  const auto step = [&](Combiner& combiner, const std::vector<std::vector<int64_t>>& present) {
    TaskLosses losses = problem->losses(tensor_of(j), {}, present[0]);
    size_t next = 1;
    losses.another_batch = [&] {
      const auto& tasks = present[next++];
      if (!tasks.empty()) return problem->losses(tensor_of(j), {}, tasks);
      TaskLosses none;
      none.task_count = 3;
      return none;
    };
    return vector_of(problem->step(combiner, losses));
  };
  MoDo all, some;
  step(all, {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}});
  // Two tasks in common: the third's weight stays; the update is of who is in the third batch.
  const VectorXd d = step(some, {{0, 1}, {0, 1, 2}, {1, 2}});
  const VectorXd w = vector_of(some.state_dict()["weights"]) / 3;
  CHECK(w[2] == Approx(1.0 / 3));
  CHECK(w.sum() == Approx(1));
  CHECK(d.isApprox((w[1] * j.row(1) + w[2] * j.row(2)).transpose() / (w[1] + w[2]), 1e-9));
  const VectorXd before = vector_of(some.state_dict()["weights"]);
  step(some, {{0}, {}, {1}});
  CHECK(vector_of(some.state_dict()["weights"]) == before);
  CHECK(step(some, {{0, 1}, {0, 1}, {}}).isZero(0));
}

TEST_CASE("MoDo: a third batch that is refused leaves the weights as they were") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}});
  MoDo combiner(MoDo::Options{.gamma = 0.01});
  TaskLosses losses = loop.losses();
  losses.another_batch = [&] { return loop.losses(); };
  combiner.backward(losses, loop.parameters());
  const VectorXd before = vector_of(combiner.state_dict()["weights"]);
  const Tensor gradient = loop.x.grad().clone();
  int calls = 0;
  losses = loop.losses();
  losses.another_batch = [&] {
    TaskLosses next = loop.losses();
    if (++calls == 2) next.values[1] = next.values[1] * std::numeric_limits<double>::infinity();
    return next;
  };
  CHECK_THROWS_AS(combiner.backward(losses, loop.parameters()), FaultyStep);
  CHECK(vector_of(combiner.state_dict()["weights"]) == before);
  CHECK(torch::equal(loop.x.grad(), gradient));
  losses.another_batch = nullptr;
  CHECK(
      contains(error_text([&] { combiner.backward(losses, loop.parameters()); }), "another_batch"));
}
