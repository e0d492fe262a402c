#include "mtl/combine/solvers/spectrum.hpp"

#include <algorithm>

#include "catch.hpp"
#include "error_text.hpp"
#include "random_jacobians.hpp"

using namespace mtl::solvers;
using namespace random_jacobians;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

/// Two rows of lengths a and b at an angle.
MatrixXd two_rows(double a, double b, double cosine) {
  return (MatrixXd(2, 2) << a * a, a * b * cosine, a * b * cosine, b * b).finished();
}

}  // namespace

TEST_CASE("spectrum: two rows in closed form, in either order") {
  for (const double cosine : {-0.9, 0.0, 0.5, 0.999999})
    for (const auto& [a, b] : {std::pair(2.0, 1.0), std::pair(1.0, 2.0), std::pair(1e-9, 1e3)}) {
      INFO(a << ", " << b << ", " << cosine);
      const MatrixXd g = two_rows(a, b, cosine);
      const auto s = spectrum(g);
      REQUIRE(s.values.size() == 2);
      CHECK(s.values[0] <= s.values[1]);
      CHECK(s.values.sum() == Approx(a * a + b * b).epsilon(1e-14));
      CHECK(s.values.prod() == Approx(a * a * b * b * (1 - cosine) * (1 + cosine)).epsilon(1e-9));
      CHECK((s.vectors.transpose() * s.vectors - MatrixXd::Identity(2, 2)).norm() <= 1e-14);
      CHECK((g * s.vectors - s.vectors * s.values.asDiagonal()).norm() <= 1e-14 * g.norm());
    }
  for (const double cosine : {1.0, -1.0}) {  // dependent on each other
    const auto s = spectrum(two_rows(2, 3, cosine));
    REQUIRE(s.values.size() == 1);
    CHECK(s.values[0] == Approx(13));
    CHECK(std::abs(s.vectors(0, 0)) == Approx(2 / std::sqrt(13)));
  }
  CHECK(spectrum(two_rows(2, 0, 0)).values == VectorXd::Constant(1, 4));
  CHECK(spectrum(two_rows(0, 2, 0)).values == VectorXd::Constant(1, 4));
}

TEST_CASE("spectrum: rows of very unequal lengths, in any order") {
  std::vector<double> lengths = {1e-7, 1e-4, 1};
  do {
    const Eigen::Vector3d l(lengths[0], lengths[1], lengths[2]);
    const MatrixXd cosines = MatrixXd::Constant(3, 3, 0.5) + 0.5 * MatrixXd::Identity(3, 3);
    const auto s = spectrum(l.asDiagonal() * cosines * l.asDiagonal());
    INFO(l.transpose());
    REQUIRE(s.values.size() == 3);
    CHECK(s.values.prod() == Approx(0.5e-22).epsilon(1e-9));  // the cosines' determinant is 1/2
    // What the longer rows leave of the shortest: 1 - (1/2, 1/2) [1 1/2; 1/2 1]^-1 (1/2, 1/2)'.
    CHECK(s.values[0] == Approx(1e-14 * 2 / 3).epsilon(1e-5));
  } while (std::next_permutation(lengths.begin(), lengths.end()));
}

TEST_CASE("pseudo_solve: the shortest of the best answers") {
  std::mt19937_64 random(7);
  for (const auto& problem : problems(every_kind(), 1, {32})) {
    INFO(problem.kind << ", T = " << problem.jacobian.rows());
    // An answer that there is: b = G x, from rows of lengths near 1, so that G^+ is known.
    MatrixXd j = problem.jacobian;
    for (Eigen::Index t = 0; t < j.rows(); ++t) j.row(t) /= j.row(t).norm();
    const MatrixXd g = j * j.transpose();
    const VectorXd b = g * normal(random, static_cast<int>(j.rows()), 1);
    const VectorXd v = pseudo_solve(g, b);
    CHECK((g * v - b).norm() <= 1e-10 * g.norm() * (1 + v.norm()));
    const auto s = spectrum(g);  // nothing of v lies outside the range of G
    CHECK((v - s.vectors * (s.vectors.transpose() * v)).norm() <= 1e-6 * (1 + v.norm()));
  }
  CHECK(pseudo_solve(MatrixXd::Zero(2, 2), VectorXd::Ones(2)).isZero(0));
  MatrixXd with_zero_row = MatrixXd::Zero(3, 3);
  with_zero_row.topLeftCorner(2, 2) = two_rows(2, 1, 0.5);
  CHECK(pseudo_solve(with_zero_row, Eigen::Vector3d(4, 1, 7)).isApprox(Eigen::Vector3d(1, 0, 0)));
  CHECK(contains(error_text([] { pseudo_solve(MatrixXd::Identity(2, 2), VectorXd::Ones(3)); }),
                 "a 2 x 2 Gramian: the right side has 3 entries"));
}

// Of two nearly parallel rows in rational numbers: G = [[1, 1-e], [1-e, 1]].
TEST_CASE("pseudo_solve: nearly dependent rows keep the digits that G has") {
  for (const double e : {1e-4, 1e-8, 1e-12}) {
    INFO(e);
    const double cosine = 1 - e, left = 1 - cosine;  // what of e the double has kept
    const VectorXd v = pseudo_solve(two_rows(1, 1, cosine), Eigen::Vector2d(1, 0));
    CHECK(v[0] == Approx(1 / (left * (2 - left))).epsilon(1e-12));
    CHECK(v[1] == Approx(-cosine / (left * (2 - left))).epsilon(1e-12));
  }
  // Three rows of lengths 1, 10, 100 with cosines 1 - e: the inverse of a I + b 11'.
  const double e = 1e-9;
  const Eigen::Vector3d lengths(1, 10, 100);
  const MatrixXd cosines = MatrixXd::Constant(3, 3, 1 - e) + e * MatrixXd::Identity(3, 3);
  const MatrixXd g = lengths.asDiagonal() * cosines * lengths.asDiagonal();
  const double a = 1 - (1 - e), b = 1 - e;
  for (int k = 0; k < 3; ++k) {
    const VectorXd v = pseudo_solve(g, Eigen::Vector3d::Unit(k));
    for (int i = 0; i < 3; ++i)
      CHECK(v[i] * lengths[i] * lengths[k] ==
            Approx(((i == k ? 1 : 0) - b / (a + 3 * b)) / a).epsilon(1e-6));
  }
}

TEST_CASE("is_well_known: by the cosines, whatever the lengths") {
  CHECK(is_well_known(two_rows(1, 1e9, 0.5)));
  CHECK(is_well_known(two_rows(1, 1, 1 - 1e-6)));
  CHECK_FALSE(is_well_known(two_rows(1, 1, 1 - 1e-10)));
  CHECK_FALSE(is_well_known(two_rows(1, 1, 1)));
  CHECK(is_well_known(two_rows(1, 0, 0)));  // a zero row says nothing
}

TEST_CASE("refined: the rows themselves tell what G has lost") {
  // Two rows that differ by 1e-6 in a second direction: G knows the small eigenvalue to 4 digits.
  MatrixXd j(2, 2);
  j << 1, 0, 1, 1e-6;
  const MatrixXd g = j * j.transpose();
  int asked = 0;
  const auto gramian_of = [&](const MatrixXd& combinations) -> MatrixXd {
    ++asked;
    return (combinations * j) * (combinations * j).transpose();
  };
  const auto s = refined(g, gramian_of);
  REQUIRE(s.values.size() == 2);
  CHECK(asked == 1);
  CHECK(s.values.prod() == Approx(1e-12).epsilon(1e-9));  // of det J squared
  CHECK((s.vectors.transpose() * s.vectors - MatrixXd::Identity(2, 2)).norm() <= 1e-12);
  // Dependent rows need no help, and an answer that is none leaves the spectrum as it was.
  const MatrixXd dependent = MatrixXd::Ones(2, 2);
  CHECK(refined(dependent, gramian_of).values.size() == 1);
  CHECK(asked == 1);
  const auto useless = [](const MatrixXd& c) -> MatrixXd {
    return MatrixXd::Constant(c.rows(), c.rows(), std::nan(""));
  };
  CHECK(refined(g, useless).values == spectrum(g).values);
}

TEST_CASE("spectral_product and coordinates: functions of G, and rows that have it") {
  std::mt19937_64 random(9);
  const MatrixXd j = normal(random, 4, 6), g = j * j.transpose();
  const VectorXd b = normal(random, 4, 1);
  const auto s = spectrum(g);
  CHECK(spectral_product(s, s.values, b).isApprox(g * b, 1e-12));
  CHECK(spectral_product(s, s.values.cwiseInverse(), g * b).isApprox(b, 1e-10));
  const MatrixXd c = coordinates(g);
  CHECK((c.transpose() * c).isApprox(g, 1e-12));
  const MatrixXd low = normal(random, 5, 2);
  CHECK(coordinates(low * low.transpose()).rows() == 2);
}
