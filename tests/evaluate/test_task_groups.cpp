#include <functional>
#include <random>

#include "catch.hpp"
#include "mtl/evaluate/task_groups.hpp"

using mtl::evaluate::task_groups;
using Groups = std::vector<std::vector<int64_t>>;

namespace {

// Every division into at most so many groups, one task after the other.
double best_by_trying(const Eigen::MatrixXd& affinity, size_t models) {
  const auto tasks = static_cast<size_t>(affinity.rows());
  double best = -1e300;
  std::vector<size_t> group_of(tasks);
  const std::function<void(size_t, size_t)> place = [&](size_t task, size_t groups) {
    if (task < tasks) {
      for (size_t g = 0; g < std::min(groups + 1, models); ++g) {
        group_of[task] = g;
        place(task + 1, std::max(groups, g + 1));
      }
      return;
    }
    double sum = 0;
    for (size_t j = 0; j < tasks; ++j) {
      double help = 0, others = 0;
      for (size_t i = 0; i < tasks; ++i) {
        if (i == j || group_of[i] != group_of[j]) continue;
        help += affinity(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
        ++others;
      }
      if (others > 0) sum += help / others;
    }
    best = std::max(best, sum / static_cast<double>(tasks));
  };
  place(0, 0);
  return best;
}

}  // namespace

TEST_CASE("task_groups: friends share a model, a task that nobody helps is alone") {
  Eigen::MatrixXd affinity(4, 4);
  affinity << 9, 1, -1, -1, 1, 9, -1, -1, -1, -1, 9, -1, 1, 1, -1, 9;
  CHECK(task_groups(affinity, 3).groups == Groups{{0, 1}, {2}, {3}});
  CHECK(task_groups(affinity, 3).gain == Approx(0.5));
  CHECK(task_groups(affinity, 1).groups == Groups{{0, 1, 2, 3}});
}

TEST_CASE("task_groups: no better division is found by trying all") {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  for (const Eigen::Index tasks : {1, 2, 5, 7}) {
    for (const size_t models : {1, 2, 3, 9}) {
      const Eigen::MatrixXd affinity =
          Eigen::MatrixXd::NullaryExpr(tasks, tasks, [&] { return normal(random); });
      const auto found = task_groups(affinity, static_cast<int64_t>(models));
      CHECK(found.gain == Approx(best_by_trying(affinity, models)));
      CHECK(found.groups.size() <= models);
    }
  }
}

TEST_CASE("task_groups: unknown affinities count as nothing, senseless ones are Errors") {
  Eigen::MatrixXd unknown = Eigen::MatrixXd::Constant(2, 2, std::nan(""));
  CHECK(task_groups(unknown, 2).gain == 0);
  CHECK_THROWS_AS(task_groups(Eigen::MatrixXd(2, 3), 2), mtl::Error);
  CHECK_THROWS_AS(task_groups(Eigen::MatrixXd(0, 0), 2), mtl::Error);
  CHECK_THROWS_AS(task_groups(Eigen::MatrixXd::Zero(16, 16), 2), mtl::Error);
  CHECK_THROWS_AS(task_groups(Eigen::MatrixXd::Zero(2, 2), 0), mtl::Error);
}
