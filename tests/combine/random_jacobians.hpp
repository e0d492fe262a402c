#pragma once

#include <Eigen/Core>
#include <cmath>
#include <random>
#include <string>
#include <vector>

/// Random problems for the solvers and combiners: every number of tasks, rank, scale and
/// degeneracy.
namespace random_jacobians {

struct RandomJacobian {
  std::string kind;
  Eigen::MatrixXd jacobian;  // [T,P]
  Eigen::MatrixXd gramian() const { return jacobian * jacobian.transpose(); }
};

inline Eigen::MatrixXd normal(std::mt19937_64& random, int rows, int columns) {
  std::normal_distribution<double> draw;
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return draw(random); });
}

inline double log_uniform(std::mt19937_64& random, double low, double high) {
  return std::pow(10.0, std::uniform_real_distribution<double>(low, high)(random));
}

/// Kinds: "wide" (independent rows), "low rank", "agreeing" (one open half-space), "opposed" (pairs
/// that all but cancel), "nearly parallel", "unequal" (norms over many decades), "duplicate",
/// "stationary" (a positive combination of the rows is zero). All times a scale of 1e-15..1e15.
inline RandomJacobian draw(std::mt19937_64& random, int tasks, const std::string& kind) {
  using Eigen::MatrixXd;
  MatrixXd j = normal(random, tasks, 2 * tasks + 3);
  if (kind == "low rank")
    j = normal(random, tasks, (tasks + 1) / 2) * normal(random, (tasks + 1) / 2, 2 * tasks + 3);
  if (kind == "agreeing") j.col(0) = j.rowwise().norm();
  if (kind == "nearly parallel")
    j = normal(random, tasks, 1).cwiseAbs() * normal(random, 1, 2 * tasks + 3) + 1e-4 * j;
  if (kind == "opposed")
    for (int t = 1; t < tasks; t += 2)
      j.row(t) = -j.row(t - 1) + log_uniform(random, -3, -1) * j.row(t);
  if (kind == "duplicate" && tasks > 1) j.row(tasks - 1) = 2.0 * j.row(0);
  if (kind == "stationary" && tasks > 1) {
    const Eigen::VectorXd weights = Eigen::VectorXd::NullaryExpr(
        tasks - 1, [&] { return std::uniform_real_distribution<double>(0.5, 2)(random); });
    j.row(tasks - 1) = -weights.transpose() * j.topRows(tasks - 1);
  }
  if (kind == "unequal")
    for (int t = 0; t < tasks; ++t) j.row(t) *= log_uniform(random, -5, 5);
  return {kind, j * log_uniform(random, -15, 15)};
}

/// In one open half-space, `flat` of the rows in one plane and the others against them there: a row
/// of the plane depends on two others of it, and the mean of all is against it.
inline RandomJacobian draw_flat(std::mt19937_64& random, int tasks, int flat) {
  Eigen::MatrixXd j = normal(random, tasks, 5);
  j.col(0) = j.col(0).cwiseAbs().array() + 0.05;
  j.topRightCorner(flat, 3).setZero();
  j.col(0).tail(tasks - flat) *= -3;
  j.col(2).tail(tasks - flat) = j.col(2).tail(tasks - flat).cwiseAbs().array() + 0.05;
  return {"flat", j};
}

/// All kinds, T = 1..16, `rounds` times each; the larger T once.
inline std::vector<RandomJacobian> problems(const std::vector<std::string>& kinds, int rounds,
                                            const std::vector<int>& larger = {}) {
  std::mt19937_64 random(20240607);
  std::vector<RandomJacobian> all;
  for (const auto& kind : kinds) {
    for (int round = 0; round < rounds; ++round)
      for (int tasks = 1; tasks <= 16; ++tasks) all.push_back(draw(random, tasks, kind));
    for (int tasks : larger) all.push_back(draw(random, tasks, kind));
  }
  return all;
}

inline const std::vector<std::string> kRegular = {"wide", "agreeing", "opposed", "nearly parallel",
                                                  "unequal"};
inline const std::vector<std::string> kSingular = {"low rank", "duplicate", "stationary"};

inline std::vector<std::string> every_kind() {
  auto kinds = kRegular;
  kinds.insert(kinds.end(), kSingular.begin(), kSingular.end());
  return kinds;
}

}  // namespace random_jacobians
