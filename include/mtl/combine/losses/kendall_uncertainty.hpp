#pragma once

#include <vector>

#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Homoscedastic uncertainty: each task learns the variance of its noise, and a noisy task counts
/// less.
///     sum_regression  .5 e^-s_t l_t  +  sum_classification  e^-s_t l_t  +  .5 sum s_t       s =
///     log variance
/// Kendall, Gal, Cipolla, CVPR 2018 (arXiv 1705.07115). The log variances are parameters of the
/// combiner, one a task, and train with an optimizer group of their own.
class KendallUncertainty : public LossCombiner {
 public:
  enum class Form {
    by_kind,                   // as above: a task's loss says which kind it is
    every_task_as_regression,  // .5 e^-s l + .5 s for all, as LibMTL and TorchJD have it
  };
  struct Options {
    Form form = Form::by_kind;
    double log_variance =
        0.0;  ///< where s starts: 0 weighs as the formula without s (LibMTL starts at -0.5)
  };

  /// Without tasks their number is that of the first step.
  explicit KendallUncertainty(TaskCount tasks = {}) : KendallUncertainty(tasks, Options{}) {}
  KendallUncertainty(TaskCount tasks, Options options);

  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;
  std::vector<Tensor> parameters() override { return {log_variance_.tensor()}; }
  NamedTensors state_dict() const override { return log_variance_.state_dict(); }
  void load_state_dict(const NamedTensors& state) override { log_variance_.load_state_dict(state); }

 private:
  Tensor weigh(const TaskLosses& losses, const Tensor& s) const;

  Form form_;
  TaskParameter log_variance_;  // s
};

}  // namespace mtl
