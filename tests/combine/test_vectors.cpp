#include "mtl/combine/solvers/vectors.hpp"

#include "catch.hpp"
#include "random_jacobians.hpp"

using namespace mtl::solvers;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// What each is called, against loops over the entries.
TEST_CASE("solvers: the arithmetic of a few tasks") {
  std::mt19937_64 random(2);
  const MatrixXd m = random_jacobians::normal(random, 3, 3);
  const MatrixXd g = m * m.transpose();
  const VectorXd a = random_jacobians::normal(random, 3, 1),
                 b = random_jacobians::normal(random, 3, 1);
  VectorXd grown = a, with_column = a;
  add(grown, 0.5, b);
  add_column(with_column, 2, m, 1);
  double inner = 0, quadratic = 0, squares = 0;
  for (int i = 0; i < 3; ++i) {
    INFO(i);
    double row = 0, mean = 0;
    for (int j = 0; j < 3; ++j) {
      row += m(i, j) * b[j];
      mean += m(i, j) / 3;
      quadratic += a[i] * g(i, j) * a[j];
      CHECK(scaled(g, a)(i, j) == Approx(a[i] * g(i, j) * a[j]));
    }
    inner += a[i] * b[i];
    squares += a[i] * a[i];
    CHECK(lengths(g)[i] == Approx(std::sqrt(g(i, i))));
    CHECK(product(m, b)[i] == Approx(row));
    CHECK(times(2.5, a)[i] == Approx(2.5 * a[i]));
    CHECK(divided(a, 4)[i] == Approx(a[i] / 4));
    CHECK(times(a, b)[i] == Approx(a[i] * b[i]));
    CHECK(sum(a, -0.25, b)[i] == Approx(a[i] - 0.25 * b[i]));
    CHECK(grown[i] == Approx(a[i] + 0.5 * b[i]));
    CHECK(with_column[i] == Approx(a[i] + 2 * m(i, 1)));
    CHECK(column(m, 2)[i] == m(i, 2));
    CHECK(diagonal(m)[i] == m(i, i));
    CHECK(mean_of_columns(m)[i] == Approx(mean));
  }
  CHECK(dot(a, b) == Approx(inner));
  CHECK(squared_length(g, a) == Approx(quadratic));
  CHECK(length(a) == Approx(std::sqrt(squares)));
  CHECK(without_first(m) == m.block(1, 1, 2, 2));
}

TEST_CASE("solvers: matrices to and from numbers row by row") {
  const double numbers[6] = {1, 2, 3, 4, 5, 6};
  const MatrixXd m = from_rows(numbers, 2, 3);
  CHECK(m == (MatrixXd(2, 3) << 1, 2, 3, 4, 5, 6).finished());
  double back[6] = {};
  to_rows(m, back);
  CHECK(std::equal(numbers, numbers + 6, back));
}
