#include "bilevel_problem.hpp"

using namespace bilevel_problem;

TEST_CASE("FORUM: golden paths") { check_golden_paths("forum"); }

TEST_CASE("FORUM: a validation batch without labels is no step") {
  const auto problem = std::make_shared<LinearProblem>(2, 3);
  const Tensor rows = torch::tensor({{1.0, 2.0, 0.0}, {0.0, 1.0, 1.0}}, torch::kDouble);
  TaskLosses losses = problem->losses(rows);
  losses.same_batch = [&] { return problem->losses(rows); };
  losses.another_batch = [] {
    TaskLosses none;
    none.task_count = 2;
    return none;
  };
  Forum combiner;
  combiner.backward(losses, *problem);
  CHECK_FALSE(problem->x.grad().defined());
  CHECK(combiner.logits().isZero());
}

TEST_CASE("FORUM: options that mean nothing, an inner descent that leaves the numbers") {
  for (const char* text : {"forum:inner_steps=0", "forum:inner_steps=-1", "forum:rho=-1",
                           "forum:rho=nan", "forum:scale=loss"}) {
    INFO(text);
    CHECK_FALSE(error_text([&] { make_combiner(text); }).empty());
  }
  CHECK_FALSE(error_text([] { Forum({.inner_steps = 0}); }).empty());
  CHECK_FALSE(error_text([] { Forum({.rho = HUGE_VAL}); }).empty());
  CHECK(contains(error_text([] { make_combiner("forum:phi=1"); }),
                 "it has: lr, inner_lr, inner_steps, rho, scale"));
  const auto net = std::make_shared<Net>();
  const TaskLosses losses = net->step(random_batch(1), random_batch(1));
  CHECK(contains(error_text([&] { make_combiner("forum:inner_lr=1e200")->backward(losses, *net); }),
                 "a smaller inner_lr"));
}
