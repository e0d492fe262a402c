#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("UpGrad: golden directions") { check_golden("upgrad", "upgrad"); }

TEST_CASE("UpGrad: linear in the length of each gradient and in the preference") {
  std::mt19937_64 random(5);
  const MatrixXd j = random_jacobians::normal(random, 4, 20);
  const auto scaled = [&](double k) {
    MatrixXd other = j;
    other.row(0) *= k;
    return direction("upgrad", other);
  };
  CHECK((scaled(10) - scaled(1) - 9 * (scaled(2) - scaled(1))).norm() <= 1e-9 * scaled(10).norm());
  CHECK((direction("upgrad:preference=1/2/3/4", j) - direction("upgrad:preference=1/0/3/0", j) -
         direction("upgrad:preference=0/2/0/4", j))
            .norm() <= 1e-9 * j.norm());
  CHECK(contains(error_text([&] { direction("upgrad:preference=1/2", j); }), "2 entries"));
  CHECK(contains(error_text([&] { make_combiner("upgrad:preference=1/2", 3); }), "2 entries"));
  CHECK(contains(error_text([&] { make_combiner("upgrad:preference=0/0"); }), "all entries"));
}
