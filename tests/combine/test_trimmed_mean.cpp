#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("TrimmedMean: golden directions") { check_golden("trimmed_mean_1", "trimmed_mean"); }

TEST_CASE("TrimmedMean: too few tasks are an Error, too few labels are trimmed less") {
  std::mt19937_64 random(5);
  const MatrixXd j = random_jacobians::normal(random, 5, 6);
  CHECK(contains(error_text([&] { direction("trimmed_mean:trim=3", j); }), "more than 6"));
  CHECK(contains(error_text([&] { make_combiner("trimmed_mean", 2); }), "more than 2"));
  const auto problem = std::make_shared<LinearProblem>(5, 6);
  TrimmedMean combiner({.trim = 2});
  const auto of = [&](const std::vector<int64_t>& present) {
    return vector_of(problem->step(combiner, problem->losses(tensor_of(j), {}, present)));
  };
  CHECK(of({3}).isApprox(j.row(3).transpose(), 1e-12));
  CHECK(of({1, 3}).isApprox((j.row(1) + j.row(3)).transpose() / 2, 1e-12));
}

TEST_CASE("TrimmedMean: to trim more than any number of tasks is an Error") {
  TrimmedMean combiner({.trim = int64_t{1} << 62});
  CHECK(contains(error_text([&] { combiner.set_task_count(5); }),
                 "5 tasks, expected more than 9223372036854775808"));
}
