#include "mtl/evaluate/task_groups.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mtl::evaluate {

TaskGroups task_groups(const Eigen::MatrixXd& affinity, int64_t models) {
  constexpr Eigen::Index most = 15;
  const Eigen::Index tasks = affinity.rows();
  if (tasks < 1 || affinity.cols() != tasks)
    throw Error("task groups: affinities of {} x {}, expected one row and column a task", tasks,
                affinity.cols());
  if (tasks > most) throw Error("task groups: {} tasks, at most {} can be divided", tasks, most);
  if (models < 1) throw Error("task groups: {} models, expected at least 1", models);
  const uint32_t all = (uint32_t{1} << tasks) - 1;
  // What a group is worth: the sum of its tasks' gains.
  std::vector<double> worth(all + 1, 0.0);
  for (uint32_t group = 1; group <= all; ++group) {
    const int size = __builtin_popcount(group);
    for (Eigen::Index j = 0; j < tasks && size > 1; ++j) {
      if (!(group >> j & 1)) continue;
      for (Eigen::Index i = 0; i < tasks; ++i) {
        const double help = affinity(i, j);
        if (std::isinf(help))
          throw Error("task groups: what task {} does for task {} is infinite", i, j);
        if (i != j && (group >> i & 1) && !std::isnan(help)) worth[group] += help / (size - 1);
      }
    }
  }
  // The best division of each set into so many groups, the first of which has the first task.
  constexpr double none = -std::numeric_limits<double>::infinity();
  const auto layers = static_cast<size_t>(std::min<int64_t>(models, tasks)) + 1;
  std::vector<std::vector<double>> best(layers, std::vector<double>(all + 1, none));
  std::vector<std::vector<uint32_t>> chosen(layers, std::vector<uint32_t>(all + 1, 0));
  best[0][0] = 0;
  size_t most_worth = 1;
  for (size_t count = 1; count < layers; ++count) {
    for (uint32_t set = 1; set <= all; ++set) {
      const uint32_t first = set & -set, others = set ^ first;
      for (uint32_t rest = others;; rest = (rest - 1) & others) {
        const double value = worth[set ^ rest] + best[count - 1][rest];
        if (value > best[count][set]) {
          best[count][set] = value;
          chosen[count][set] = set ^ rest;
        }
        if (rest == 0) break;
      }
    }
    if (best[count][all] > best[most_worth][all]) most_worth = count;
  }
  TaskGroups result;
  result.gain = best[most_worth][all] / static_cast<double>(tasks);
  uint32_t set = all;
  for (size_t count = most_worth; count > 0; --count) {
    const uint32_t group = chosen[count][set];
    result.groups.emplace_back();
    for (Eigen::Index j = 0; j < tasks; ++j)
      if (group >> j & 1) result.groups.back().push_back(j);
    set ^= group;
  }
  return result;
}

}  // namespace mtl::evaluate
