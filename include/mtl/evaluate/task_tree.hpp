#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cstdint>
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
TaskTree task_tree(const std::vector<Eigen::MatrixXd>& affinities,
                   const std::vector<int64_t>& branches);

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
