#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("Krum: golden directions") {
  check_golden("krum_1_1", "krum");
  check_golden("krum_1_2", "krum:selected=2");
}

TEST_CASE("Krum: too few tasks are an Error, too few labels their mean") {
  std::mt19937_64 random(5);
  const MatrixXd j = random_jacobians::normal(random, 4, 6);
  CHECK(contains(error_text([&] { direction("krum:byzantine=2", j); }), "at least 5"));
  CHECK(contains(error_text([&] { make_combiner("krum", 3); }), "at least 4"));
  const auto problem = std::make_shared<LinearProblem>(4, 6);
  Krum krum;
  const VectorXd d = vector_of(problem->step(krum, problem->losses(tensor_of(j), {}, {0, 2})));
  CHECK(d.isApprox((j.row(0) + j.row(2)).transpose() / 2, 1e-12));
}

TEST_CASE("Krum: more outliers than any number of tasks survives") {
  const int64_t most = std::numeric_limits<int64_t>::max();
  for (const Krum::Options& options :
       {Krum::Options{.byzantine = most}, Krum::Options{.selected = most}}) {
    Krum krum(options);
    CHECK(contains(error_text([&] { krum.set_task_count(5); }),
                   "5 tasks, expected at least 9223372"));
  }
}
