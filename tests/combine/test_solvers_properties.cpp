#include <catch.hpp>

#include "error_text.hpp"
#include "mtl/combine/solvers/bargain.hpp"
#include "mtl/combine/solvers/cagrad.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/combine/solvers/spectrum.hpp"
#include "random_jacobians.hpp"

using namespace mtl::solvers;
using namespace random_jacobians;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

VectorXd norms(const MatrixXd& jacobian) { return jacobian.rowwise().norm(); }

VectorXd equal(Eigen::Index n) { return VectorXd::Constant(n, 1.0 / static_cast<double>(n)); }

// What double precision can tell of an inner product with J'w: w's terms may cancel.
double resolution(const MatrixXd& jacobian, const VectorXd& w) {
  return 1e-9 * norms(jacobian).dot(w.cwiseAbs());
}

// Of d = g0 + J'z: z is in its ball and costs no more than its dual, the level of the worst row.
void check_cagrad(const MatrixXd& j, double c) {
  INFO("T = " << j.rows() << ", c " << c);
  const VectorXd mean = j.colwise().mean().transpose();
  const auto bargain = cagrad(j * j.transpose(), c);
  REQUIRE_FALSE(bargain.stationary);
  const VectorXd z = bargain.weights.array() - 1.0 / static_cast<double>(j.rows());
  CHECK(z.minCoeff() >= -1e-12 * z.maxCoeff());
  const VectorXd moved = j.transpose() * z, w = z / z.sum(), hull = j.transpose() * w;
  CHECK(moved.norm() == Approx(c * mean.norm()).epsilon(1e-7));
  const double dual = hull.dot(mean) + c * mean.norm() * hull.norm();
  CHECK(dual - (j * (mean + moved)).minCoeff() <= 1e-7 * (1 + c) * j.squaredNorm());
}

}  // namespace

TEST_CASE("min_norm_point: in the simplex, and no row is closer to the origin (duality gap)") {
  for (const auto& problem : problems(every_kind(), 4, {32, 64, 128})) {
    const MatrixXd& j = problem.jacobian;
    INFO(problem.kind << ", T = " << j.rows());
    const auto point = min_norm_point(problem.gramian());
    CHECK(point.weights.minCoeff() >= 0);
    CHECK(point.weights.sum() == Approx(1).epsilon(1e-12));
    const VectorXd d = j.transpose() * point.weights;
    const VectorXd products = j * d;
    const double slack = resolution(j, point.weights);
    for (Eigen::Index t = 0; t < j.rows(); ++t)
      CHECK(d.squaredNorm() - products[t] <= slack * j.row(t).norm());
    CHECK(std::abs(point.squared_norm - d.squaredNorm()) <= slack * norms(j).dot(point.weights));
    if (problem.kind == "stationary" && j.rows() > 1) CHECK(point.stationary);
    if (problem.kind == "wide" || problem.kind == "agreeing") CHECK_FALSE(point.stationary);
  }
}

TEST_CASE("min_norm_point: two rows, clamped line search") {
  MatrixXd g(2, 2);
  g << 4, 1, 1, 9;
  CHECK(min_norm_point(g).weights[0] == Approx(8.0 / 11.0).epsilon(1e-14));
  g << 1, 2, 2, 9;
  CHECK(min_norm_point(g).weights[0] == 1.0);
  g << 9, 2, 2, 1;
  CHECK(min_norm_point(g).weights[1] == 1.0);
}

TEST_CASE("project_on_dual_cone: feasible, complementary, for any lower bound") {
  std::mt19937_64 random(1);
  for (const auto& problem : problems(every_kind(), 3, {32, 64, 128})) {
    const MatrixXd& j = problem.jacobian;
    INFO(problem.kind << ", T = " << j.rows());
    MatrixXd bounds = normal(random, static_cast<int>(j.rows()), 3);
    bounds.col(0) = equal(j.rows());
    const MatrixXd v = project_on_dual_cone(problem.gramian(), bounds);
    for (int k = 0; k < 3; ++k) {
      const VectorXd products = j * (j.transpose() * v.col(k));
      const double slack = resolution(j, v.col(k)) + resolution(j, bounds.col(k));
      for (Eigen::Index t = 0; t < j.rows(); ++t) {
        const double length = j.row(t).norm(), extra = v(t, k) - bounds(t, k);
        CHECK(extra >= 0);
        CHECK(products[t] >= -slack * length);
        // Where the bound does not hold v, the row is orthogonal to the direction.
        CHECK(extra * products[t] <= slack * (extra * length + slack));
      }
    }
  }
}

TEST_CASE("sum_of_dual_cone_projections: the sum of the single projections") {
  for (const auto& problem : problems(every_kind(), 1, {64})) {
    const MatrixXd& j = problem.jacobian;
    INFO(problem.kind << ", T = " << j.rows());
    const VectorXd preference = equal(j.rows());
    const VectorXd sum = sum_of_dual_cone_projections(problem.gramian(), preference);
    const VectorXd single =
        project_on_dual_cone(problem.gramian(), MatrixXd(preference.asDiagonal())).rowwise().sum();
    CHECK((j.transpose() * (sum - single)).norm() <= resolution(j, sum));
  }
}

TEST_CASE("nash: a_i (Ga)_i = 1") {
  for (const auto& problem : problems(kRegular, 4, {32, 64, 128})) {
    const MatrixXd& j = problem.jacobian;
    INFO(problem.kind << ", T = " << j.rows());
    const auto bargain = nash(problem.gramian());
    REQUIRE_FALSE(bargain.stationary);
    CHECK(bargain.weights.minCoeff() > 0);
    const VectorXd d = j.transpose() * bargain.weights;
    // Terms that cancel to length sqrt(T) leave that much less precision.
    const double lost = std::pow(norms(j).dot(bargain.weights), 2);
    CHECK((bargain.weights.cwiseProduct(j * d).array() - 1).abs().maxCoeff() <=
          1e-9 + 1e-14 * lost);
  }
}

TEST_CASE("nash: two rows in closed form, 1 / (|g_i| sqrt(1 + cos))") {
  for (double cosine : {-0.999, -0.5, 0.0, 0.3, 0.999}) {
    MatrixXd g(2, 2);
    g << 4, 6 * cosine, 6 * cosine, 9;
    const auto bargain = nash(g);
    CHECK(bargain.weights[0] == Approx(1 / (2 * std::sqrt(1 + cosine))).epsilon(1e-12));
    CHECK(bargain.weights[1] == Approx(1 / (3 * std::sqrt(1 + cosine))).epsilon(1e-12));
  }
}

TEST_CASE("fairgrad: (Gw)_i = w_i^(-1/alpha) for every alpha > 0; alpha 1 is nash") {
  for (const auto& problem : problems(kRegular, 2, {32, 128})) {
    const MatrixXd& j = problem.jacobian;
    for (double alpha : {0.2, 0.5, 1.0, 2.0, 5.0}) {
      INFO(problem.kind << ", T = " << j.rows() << ", alpha " << alpha);
      const auto bargain = fairgrad(problem.gramian(), alpha);
      REQUIRE_FALSE(bargain.stationary);
      CHECK(bargain.weights.minCoeff() > 0);
      const VectorXd products = j * (j.transpose() * bargain.weights);
      const double terms = norms(j).dot(bargain.weights);
      for (Eigen::Index t = 0; t < j.rows(); ++t) {
        const double expected = std::pow(bargain.weights[t], -1 / alpha);
        CHECK(std::abs(products[t] - expected) <=
              1e-8 * expected + 1e-13 * j.row(t).norm() * terms);
      }
    }
  }
}

TEST_CASE("fairgrad: nearly parallel rows, as far as double precision goes") {
  for (const double apart : {1e-6, 1e-9, 1e-12})
    for (const double alpha : {0.5, 2.0}) {
      INFO("1 - cosine " << apart << ", alpha " << alpha);
      MatrixXd g(3, 3);
      const double c = 1 - apart;
      g << 4, 6 * c, 2 * c, 6 * c, 9, 3 * c, 2 * c, 3 * c, 1;
      const auto bargain = fairgrad(g, alpha);
      REQUIRE_FALSE(bargain.stationary);
      for (Eigen::Index t = 0; t < 3; ++t)
        CHECK((g * bargain.weights)[t] ==
              Approx(std::pow(bargain.weights[t], -1 / alpha)).epsilon(1e-6));
    }
}

TEST_CASE("nash and fairgrad: where the rows are stationary, no weights and the flag") {
  for (const auto& problem : problems({"stationary"}, 4, {64})) {
    if (problem.jacobian.rows() == 1) continue;
    INFO("T = " << problem.jacobian.rows());
    for (double alpha : {0.5, 1.0, 2.0}) {
      const auto bargain = fairgrad(problem.gramian(), alpha);
      CHECK(bargain.stationary);
      CHECK(bargain.weights.isZero(0));
    }
  }
}

TEST_CASE("cagrad: inside its ball, and no duality gap") {
  for (const auto& problem : problems(every_kind(), 3, {32, 64, 128})) {
    const MatrixXd& j = problem.jacobian;
    const double n = static_cast<double>(j.rows());
    const VectorXd mean = j.colwise().mean().transpose();
    for (double c : {0.05, 0.5, 1.0, 4.0}) {
      INFO(problem.kind << ", T = " << j.rows() << ", c " << c);
      const auto bargain = cagrad(problem.gramian(), c);
      REQUIRE(bargain.weights.allFinite());
      if (problem.kind == "stationary" && n > 1 && c >= 1) CHECK(bargain.stationary);
      if (bargain.stationary) {
        CHECK(bargain.weights.isZero(0));
        continue;
      }
      const VectorXd z = bargain.weights.array() - 1 / n;
      const double radius = c * mean.norm(), slack = resolution(j, bargain.weights);
      CHECK(z.minCoeff() >= -1e-14 * z.maxCoeff());
      const VectorXd moved = j.transpose() * z;
      CHECK(std::abs(moved.norm() - radius) <= 1e-7 * radius + slack);
      const double primal = (j * (mean + moved)).minCoeff();
      const VectorXd w = z / z.sum(), hull = j.transpose() * w;
      const double dual = hull.dot(mean) + radius * hull.norm();
      CHECK(dual - primal <= slack * norms(j).maxCoeff());
    }
  }
}

TEST_CASE("cagrad: more rows than dimensions") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 60; ++round)
    for (int tasks = 3; tasks <= 8; ++tasks) {
      MatrixXd j = normal(random, tasks, 2 + round % 2);
      j.col(0) = j.col(0).cwiseAbs() + VectorXd::Constant(tasks, 0.05);  // in a half-space
      for (const double c : {0.3, 0.9, 3.0, 30.0}) check_cagrad(j, c);
    }
}

TEST_CASE("cagrad: where the worst level turns positive, a row takes the place of one it needs") {
  std::mt19937_64 random(12);
  for (int round = 0; round < 30; ++round)
    for (int flat = 2; flat <= 4; ++flat)
      for (int tasks = flat + 1; tasks <= 8; ++tasks) {
        MatrixXd j = draw_flat(random, tasks, flat).jacobian;
        if (flat == 2) j.row(1) = (0.5 + round % 4) * j.row(0);  // two on one line
        for (const double c : {0.9, 3.0, 30.0}) check_cagrad(j, c);
      }
}

TEST_CASE("cagrad: the best of a fine grid, two and three rows") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20; ++round) {
    const int tasks = 2 + round % 2;
    const MatrixXd j = normal(random, tasks, 4);
    const MatrixXd g = j * j.transpose();
    const VectorXd mean = j.colwise().mean().transpose();
    const double c = 0.4, radius = c * mean.norm();
    const auto value = [&](const VectorXd& w) {
      const VectorXd hull = j.transpose() * w;
      return hull.dot(mean) + radius * hull.norm();
    };
    double best = std::numeric_limits<double>::infinity();
    constexpr int kGrid = 400;
    for (int a = 0; a <= kGrid; ++a)
      for (int b = 0; b <= (tasks == 3 ? kGrid - a : 0); ++b) {
        VectorXd w(tasks);
        if (tasks == 2)
          w << a, kGrid - a;
        else
          w << a, b, kGrid - a - b;
        best = std::min(best, value(w / kGrid));
      }
    const VectorXd d = j.transpose() * cagrad(g, c).weights;
    const double found = (j * d).minCoeff();  // equals the minimum over the simplex
    CHECK(found <= best + 1e-12);
    CHECK(found >= best - 1e-4 * j.squaredNorm());
  }
}

TEST_CASE("cagrad: for large c its point of the hull is the shortest one") {
  for (const auto& problem : problems({"wide", "agreeing"}, 2)) {
    const MatrixXd& j = problem.jacobian;
    const VectorXd z = cagrad(problem.gramian(), 1e7).weights;
    const VectorXd shortest = j.transpose() * min_norm_point(problem.gramian()).weights;
    CHECK((j.transpose() * (z / z.sum()) - shortest).norm() <= 1e-5 * shortest.norm());
  }
}

TEST_CASE("solvers: a common factor of the rows changes weights only as the formulas say") {
  for (const auto& problem : problems({"wide", "opposed"}, 1)) {
    const MatrixXd g = problem.gramian() / problem.jacobian.squaredNorm();
    for (double k : {1e-15, 1e-3, 1e15}) {
      const MatrixXd scaled = k * k * g;
      const auto same = [](const VectorXd& a, const VectorXd& b) {
        return (a - b).cwiseAbs().maxCoeff() <= 1e-8 * b.cwiseAbs().maxCoeff();
      };
      CHECK(same(min_norm_point(scaled).weights, min_norm_point(g).weights));
      CHECK(same(sum_of_dual_cone_projections(scaled, equal(g.rows())),
                 sum_of_dual_cone_projections(g, equal(g.rows()))));
      CHECK(same(k * nash(scaled).weights, nash(g).weights));
      CHECK(same(std::pow(k, 2 / 1.5) * fairgrad(scaled, 2).weights, fairgrad(g, 2).weights));
      CHECK(same(cagrad(scaled, 0.5).weights, cagrad(g, 0.5).weights));
    }
  }
}

TEST_CASE("spectrum: orthonormal, rebuilds G, keeps the small eigenvalues of unequal rows") {
  for (const auto& problem : problems(every_kind(), 2, {64})) {
    INFO(problem.kind << ", T = " << problem.jacobian.rows());
    const MatrixXd g = problem.gramian();
    const auto s = spectrum(g);
    const Eigen::Index rank = s.values.size();
    CHECK((s.vectors.transpose() * s.vectors - MatrixXd::Identity(rank, rank)).norm() <= 1e-11);
    const MatrixXd rebuilt = s.vectors * s.values.asDiagonal() * s.vectors.transpose();
    CHECK((rebuilt - g).norm() <= 1e-12 * g.norm());
    if (problem.kind == "wide") CHECK(rank == g.rows());
    if (problem.kind == "low rank") CHECK(rank == (g.rows() + 1) / 2);
  }
  MatrixXd g(3, 3);  // rows of length 1, 1e-3, 1e-6 with cosine 1/2
  g << 1, 5e-4, 5e-7, 5e-4, 1e-6, 5e-10, 5e-7, 5e-10, 1e-12;
  // The determinant is (1 - 3/4 + 1/4) 1e-18, so the three values multiply to 5e-19.
  CHECK(spectrum(g).values.prod() == Approx(5e-19).epsilon(1e-10));
}

TEST_CASE("solvers: no rows, zero rows, and what is no Gramian") {
  const MatrixXd none(0, 0), zeros = MatrixXd::Zero(3, 3);
  CHECK(min_norm_point(none).weights.size() == 0);
  CHECK(nash(none).weights.size() == 0);
  CHECK(nash(zeros).stationary);
  CHECK(cagrad(zeros, 0.5).stationary);
  CHECK(min_norm_point(zeros).stationary);
  CHECK(spectrum(zeros).values.size() == 0);
  MatrixXd g = MatrixXd::Identity(3, 3);
  g(1, 1) = 0;
  CHECK(min_norm_point(g).weights == Eigen::Vector3d(0, 1, 0));
  CHECK(nash(g).weights == Eigen::Vector3d(1, 0, 1));
  CHECK(cagrad(g, 0).weights == Eigen::Vector3d(0.5, 0, 0.5));
  g(1, 2) = std::nan("");
  CHECK(contains(error_text([&] { min_norm_point(g); }), "row 2"));
  CHECK(contains(error_text([&] { nash(MatrixXd::Zero(2, 3)); }), "2 x 3"));
  CHECK(contains(error_text([&] { fairgrad(zeros, 0); }), "alpha is 0"));
  CHECK(contains(error_text([&] { cagrad(zeros, -1); }), "c is -1"));
  CHECK(contains(error_text([&] { sum_of_dual_cone_projections(zeros, -equal(3)); }), "negative"));
}
