#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/task_groups.hpp"
#include "mtl/sharing/branched.hpp"
#include "mtl/task/registry.hpp"

namespace mtl::evaluate {

/// Which tasks go together how far, from the stem to the heads.
struct TaskTree {
  /// By level, each task in one group of it; every group lies within one of the level before.
  std::vector<std::vector<std::vector<int64_t>>> levels;
  std::vector<double> gains;  ///< by level, as TaskGroups::gain
};

/// A tree of tasks for Branched, by affinities [T, T] as task_affinity measures them: from the stem
/// on, each level divides the groups of the level before in the best way (task_groups) into at most
/// branches[l] groups in all. Groups that gain nothing by parting stay together.
///
/// `affinities`: one matrix for all levels, or one a level: the affinities of a part of the encoder
/// are those that task_affinity gives where all its other parts are frozen.
/// The first level takes part at depth 1, behind the stem. After Lu et al., CVPR 2017 (arXiv
/// 1611.05377) and Vandenhende et al., BMVC 2020 (arXiv 1904.02920), who measure otherwise.
/// Error: no level; a level of fewer groups than the one before; another number of matrices, or of
/// different sizes; as task_groups.
inline TaskTree task_tree(const std::vector<Eigen::MatrixXd>& affinities,
                          const std::vector<int64_t>& branches) {
  if (branches.empty()) throw Error("task tree: no level; say how many branches each has at most");
  if (affinities.empty() || (affinities.size() != 1 && affinities.size() != branches.size()))
    throw Error(
        "task tree: found {} matrices of affinities for {} levels, expected one, or one each",
        affinities.size(), branches.size());
  const Eigen::Index tasks = affinities[0].rows();
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

namespace tree_detail {

template <class Make>
std::vector<BranchedImpl::Branch> branches_within(const TaskTree& tree, size_t level,
                                                  const std::vector<int64_t>& of,
                                                  const TaskRegistry& tasks, const Make& make) {
  std::vector<BranchedImpl::Branch> branches;
  for (const auto& group : tree.levels[level]) {
    if (std::find(of.begin(), of.end(), group[0]) == of.end()) continue;
    BranchedImpl::Branch branch;
    branch.encoder = make(static_cast<int64_t>(level));
    if (level + 1 < tree.levels.size())
      branch.branches = branches_within(tree, level + 1, group, tasks, make);
    else
      for (const int64_t t : group) branch.tasks.push_back(tasks[t].name);
    branches.push_back(std::move(branch));
  }
  return branches;
}

}  // namespace tree_detail

/// The branches of a tree for Branched: `make(level)` makes an encoder anew for each group of a
/// level, so that every task goes through one encoder a level.
///
///     const auto tree = mtl::evaluate::task_tree({affinity}, {2, 3});
///     mtl::Branched model(stem, mtl::evaluate::branches_of(tree, tasks, make), tasks);
///
/// Error: the tree is of another number of tasks.
template <class Make>
std::vector<BranchedImpl::Branch> branches_of(const TaskTree& tree, const TaskRegistry& tasks,
                                              const Make& make) {
  std::vector<int64_t> all;
  if (tree.levels.empty()) throw Error("task tree: it has no level");
  for (const auto& group : tree.levels[0]) all.insert(all.end(), group.begin(), group.end());
  if (static_cast<int64_t>(all.size()) != tasks.size())
    throw Error("task tree: it is of {} tasks, and the registry has {}", all.size(), tasks.size());
  return tree_detail::branches_within(tree, 0, all, tasks, make);
}

}  // namespace mtl::evaluate
