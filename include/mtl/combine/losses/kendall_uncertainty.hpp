#pragma once

#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/state/task_numbers.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Homoscedastic uncertainty: each task learns the variance of its noise, and a noisy task counts
/// less.
///     sum_regression .5 e^-s_t l_t  +  sum_classification e^-s_t l_t  +  .5 sum s_t
/// with s = log variance. Kendall, Gal, Cipolla, CVPR 2018 (arXiv 1705.07115). The log variances
/// are parameters of the combiner, one a task, and train with an optimizer group of their own; a
/// task absent from a batch keeps its s. Which losses are regressions the losses say themselves
/// (`TaskLosses::kinds`). A run is watched by the sum of the losses: this value falls with s while
/// the losses stand still.
class KendallUncertainty : public LossCombiner {
 public:
  static constexpr std::string_view name = "kendall";
  enum class Form {
    by_kind,                   // as above
    every_task_as_regression,  // .5 e^-s l + .5 s for all, as LibMTL and TorchJD have it
  };
  struct Options {
    Form form = Form::by_kind;  ///< whether classifications weigh twice, as in the paper
    double log_variance = 0.0;  ///< where s starts: 0 weighs as without s (LibMTL: -0.5)
    void describe(OptionVisitor& option) {
      option.choice("form", form,
                    {{"by_kind", Form::by_kind},
                     {"every_task_as_regression", Form::every_task_as_regression}});
      option.number("log_variance", log_variance, any_number);
    }
  };

  KendallUncertainty() : KendallUncertainty(TaskCount{}) {}
  /// Without tasks their number is that of the first step.
  explicit KendallUncertainty(TaskCount tasks) : KendallUncertainty(tasks, Options{}) {}
  explicit KendallUncertainty(const Options& options) : KendallUncertainty(TaskCount{}, options) {}
  /// Error: a start that is not finite.
  KendallUncertainty(TaskCount tasks, const Options& options)
      : options_(checked(options, name)),
        log_variance_("log_variance", options.log_variance, tasks.value) {}

  /// FaultyStep: a loss below zero (checked on the CPU).
  inline Tensor combine(const TaskLosses& losses) override;
  void set_task_count(int64_t tasks) override { log_variance_.set_task_count(tasks); }
  /// s, one scalar a task. Error: the number of tasks is not known yet.
  std::vector<Tensor> parameters() override { return log_variance_.parameters(); }
  NamedTensors state_dict() const override { return saved_numbers({&log_variance_}); }
  void load_state_dict(const NamedTensors& state) override {
    load_numbers(state, {&log_variance_});
  }

 private:
  /// .5 for a regression, 1 for a classification, [P].
  Tensor factors(const TaskLosses& losses) const;

  Options options_;
  TaskNumbers log_variance_;  // s
};

inline Tensor KendallUncertainty::combine(const TaskLosses& losses) {
  const Tensor values = loss_values(losses, name, LossRange::at_least_zero);
  const Tensor s = log_variance_.learned(losses);
  bool same = true;  // all tasks are of one kind, so that no factors have to be made
  for (size_t i = 1; i < losses.values.size(); ++i) same = same && losses.kind(i) == losses.kind(0);
  if (options_.form == Form::every_task_as_regression || same) {
    const bool regression =
        options_.form == Form::every_task_as_regression || losses.kind(0) == LossKind::regression;
    // As few operations as there can be: each is a node of the graph, on a net that may be small.
    const Tensor weighed = values.dot((-s).exp());
    return regression ? (weighed + s.sum()) * 0.5 : torch::add(weighed, s.sum(), 0.5);
  }
  return torch::add(values.dot((-s).exp() * factors(losses)), s.sum(), 0.5);
}

inline Tensor KendallUncertainty::factors(const TaskLosses& losses) const {
  std::vector<double> factors(losses.values.size());
  for (size_t i = 0; i < factors.size(); ++i)
    factors[i] = losses.kind(i) == LossKind::regression ? 0.5 : 1.0;
  return like_losses(torch::tensor(factors, torch::kDouble), losses);
}

}  // namespace mtl
