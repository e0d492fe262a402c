#include "mtl/evaluate/task_tree.hpp"

#include <limits>

namespace mtl::evaluate {

TaskTree task_tree(const std::vector<Eigen::MatrixXd>& affinities,
                   const std::vector<int64_t>& branches) {
  if (branches.empty()) throw Error("task tree: no level; say how many branches each has at most");
  if (affinities.empty() || (affinities.size() != 1 && affinities.size() != branches.size()))
    throw Error(
        "task tree: found {} matrices of affinities for {} levels, expected one, or one each",
        affinities.size(), branches.size());
  const Eigen::Index tasks = affinities[0].rows();
  if (tasks < 1) throw Error("task tree: affinities of no task, expected a row and column a task");
  std::vector<std::vector<int64_t>> groups(1);  // of the level before; the stem has all
  for (Eigen::Index t = 0; t < tasks; ++t) groups[0].push_back(t);
  TaskTree tree;
  for (size_t l = 0; l < branches.size(); ++l) {
    const Eigen::MatrixXd& affinity = affinities[affinities.size() == 1 ? 0 : l];
    if (affinity.rows() != tasks || affinity.cols() != tasks)
      throw Error("task tree: the affinities of level {} are {} x {}, those of level 0 {} x {}", l,
                  affinity.rows(), affinity.cols(), tasks, affinities[0].cols());
    const auto most = static_cast<size_t>(std::max<int64_t>(branches[l], 0));
    if (branches[l] < 1 || (l > 0 && branches[l] < branches[l - 1]))
      throw Error("task tree: level {} has {} branches, expected at least {}", l, branches[l],
                  l > 0 ? branches[l - 1] : 1);
    // best[c]: the most that the groups so far gain in c parts, and in how many each.
    struct Best {
      double gain = -std::numeric_limits<double>::infinity();
      std::vector<TaskGroups> parts = {};
    };
    std::vector<Best> best(most + 1);
    best[0].gain = 0;
    for (const auto& group : groups) {
      const auto size = static_cast<Eigen::Index>(group.size());
      Eigen::MatrixXd within(size, size);
      for (Eigen::Index i = 0; i < size; ++i)
        for (Eigen::Index j = 0; j < size; ++j)
          within(i, j) = affinity(group[static_cast<size_t>(i)], group[static_cast<size_t>(j)]);
      std::vector<Best> next(most + 1);
      for (size_t c = 1; c <= std::min(most, group.size()); ++c) {
        const TaskGroups parts = task_groups(within, static_cast<int64_t>(c));
        if (parts.groups.size() < c) continue;  // so many gain nothing over fewer
        for (size_t before = 0; before + c <= most; ++before) {
          const double gain = best[before].gain + parts.gain * static_cast<double>(size);
          if (!(gain > next[before + c].gain)) continue;
          next[before + c] = {gain, best[before].parts};
          next[before + c].parts.push_back(parts);
        }
      }
      best = std::move(next);
    }
    const auto chosen = std::max_element(  // the fewest parts among equals
        best.begin(), best.end(), [](const Best& a, const Best& b) { return a.gain < b.gain; });
    auto& level = tree.levels.emplace_back();
    for (size_t g = 0; g < groups.size(); ++g)
      for (const auto& part : chosen->parts[g].groups) {
        auto& named = level.emplace_back();
        for (const int64_t t : part) named.push_back(groups[g][static_cast<size_t>(t)]);
      }
    tree.gains.push_back(chosen->gain / static_cast<double>(tasks));
    groups = level;
  }
  return tree;
}

}  // namespace mtl::evaluate
