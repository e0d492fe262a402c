#include "bilevel_problem.hpp"

using namespace bilevel_problem;

TEST_CASE("MOML: golden paths") { check_golden_paths("moml"); }

TEST_CASE("MOML: its scale is one of two words") {
  CHECK(contains(error_text([] { make_combiner("moml:scale=loss"); }), "none, l2"));
}

TEST_CASE("MOML: a validation batch without labels teaches nothing") {
  const auto problem = std::make_shared<LinearProblem>(2, 3);
  const Tensor rows = torch::tensor({{1.0, 2.0, 0.0}, {0.0, 1.0, 1.0}}, torch::kDouble);
  TaskLosses losses = problem->losses(rows);
  losses.another_batch = [] {
    TaskLosses none;
    none.task_count = 2;
    return none;
  };
  Moml combiner(Moml::Options{.lr = 0.5});
  CHECK(torch::allclose(problem->step(combiner, losses), 0.5 * rows.sum(0)));
  CHECK(combiner.logits().isZero());
}
