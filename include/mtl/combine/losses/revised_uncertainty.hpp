#pragma once

#include <vector>

#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Kendall's uncertainty with a regularizer that is never negative, so that the total loss is not
/// either.
///     sum .5 e^-s_t l_t + log(1 + e^s_t)                        s = log variance, trained
/// Liebel and Koerner 2018 (arXiv 1805.06334).
class RevisedUncertainty : public LossCombiner {
 public:
  /// Without tasks their number is that of the first step.
  explicit RevisedUncertainty(TaskCount tasks = {});

  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;
  std::vector<Tensor> parameters() override { return {log_variance_.tensor()}; }
  NamedTensors state_dict() const override { return log_variance_.state_dict(); }
  void load_state_dict(const NamedTensors& state) override { log_variance_.load_state_dict(state); }

 private:
  static Tensor weigh(const TaskLosses& losses, const Tensor& s);

  TaskParameter log_variance_;  // s, starts at 0
};

}  // namespace mtl
