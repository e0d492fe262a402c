#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/state/learned_loss.hpp"
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
  /// .5 for a regression, 1 for a classification, [P]; where all are of one kind, [].
  Tensor factors(const TaskLosses& losses) const;

  Options options_;
  TaskNumbers log_variance_;  // s
};

inline Tensor KendallUncertainty::combine(const TaskLosses& losses) {
  std::vector<Tensor> values = checked_losses(losses, name, LossRange::at_least_zero);
  return learned_loss(std::move(values), log_variance_.learned(losses),
                      [f = factors(losses)](const Tensor& l, const Tensor& s) -> LearnedLoss {
                        const Tensor half = torch::scalar_tensor(0.5, l.scalar_type());
                        const Tensor weights = (-s).exp() * f, weighed = weights * l;
                        return {.value = torch::add(weighed, s, 0.5).sum(),
                                .by_loss = weights,
                                .by_number = half - weighed};
                      });
}

inline Tensor KendallUncertainty::factors(const TaskLosses& losses) const {
  const auto factor = [&](size_t i) {
    const bool half =
        options_.form == Form::every_task_as_regression || losses.kind(i) == LossKind::regression;
    return half ? 0.5 : 1.0;
  };
  std::vector<double> factors;
  bool same = true;
  for (size_t i = 0; i < losses.values.size(); ++i) {
    factors.push_back(factor(i));
    same = same && factors[i] == factors[0];
  }
  if (same) return torch::scalar_tensor(factors[0], losses.values[0].scalar_type());
  return like_losses(torch::tensor(factors, torch::kDouble), losses);
}

}  // namespace mtl
