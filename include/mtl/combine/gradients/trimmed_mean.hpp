#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "mtl/combine/direction_combiner.hpp"

namespace mtl {

/// Element by element the mean of the task gradients without the `trim` largest and smallest. In a
/// batch where labels are missing and too few tasks are left, as many are trimmed as leave one.
/// Yin et al., Byzantine-Robust Distributed Learning, ICML 2018 (arXiv 1803.01498).
class TrimmedMean : public DirectionCombiner {
 public:
  static constexpr std::string_view name = "trimmed_mean";
  struct Options {
    int64_t trim = 1;                                   ///< takes more than 2 trim tasks
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.count("trim", trim, 0);
      describe_site(option, at);
    }
  };
  TrimmedMean() : TrimmedMean(Options{}) {}
  explicit TrimmedMean(const Options& options)
      : DirectionCombiner(options.at), trim_(checked(options, name).trim) {}

  Direction direction(const Rows& rows) override {
    return direction_of(unknown_losses(rows), rows);
  }
  /// Error: fewer tasks than `trim` takes, present or not.
  inline Direction direction_of(const TaskLosses& step, const Rows& rows) override;
  void set_task_count(int64_t tasks) override {
    const uint64_t trimmed = 2 * static_cast<uint64_t>(trim_);  // beyond int64_t for a large one
    if (tasks < 0 || static_cast<uint64_t>(tasks) <= trimmed)
      throw Error("combiner \"trimmed_mean\": {} tasks, expected more than {} for trim = {}", tasks,
                  trimmed, trim_);
  }

 private:
  int64_t trim_;
};

inline Direction TrimmedMean::direction_of(const TaskLosses& step, const Rows& rows) {
  set_task_count(step.task_count);
  const int64_t n = step.size(), trim = std::min(trim_, (n - 1) / 2);
  Direction result;
  result.head_weights = Eigen::VectorXd::Ones(n);
  for (const auto& of_parameter : rows) {
    const auto all = dense_rows(of_parameter);
    result.by_parameter.push_back(
        all.empty() ? Tensor()
                    : std::get<0>(torch::stack(all).sort(0)).narrow(0, trim, n - 2 * trim).mean(0));
  }
  return result;
}

}  // namespace mtl
