#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/state/learned_loss.hpp"
#include "mtl/combine/state/task_numbers.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Kendall's uncertainty with a regularizer that is never negative, so that the total loss is not
/// either.
///     sum .5 e^-s_t l_t + log(1 + e^s_t)                        s = log variance, trained
/// Liebel and Koerner 2018 (arXiv 1805.06334). A task absent from a batch keeps its s. A run is
/// watched by the sum of the losses: this value changes with s while the losses stand still.
class RevisedUncertainty : public LossCombiner {
 public:
  static constexpr std::string_view name = "revised_uncertainty";

  /// Without tasks their number is that of the first step.
  explicit RevisedUncertainty(TaskCount tasks = {})
      : log_variance_("log_variance", 0, tasks.value) {}

  /// FaultyStep: a loss below zero (checked on the CPU).
  Tensor combine(const TaskLosses& losses) override {
    std::vector<Tensor> values = checked_losses(losses, name, LossRange::at_least_zero);
    return learned_loss(std::move(values), log_variance_.learned(losses), formula);
  }
  void set_task_count(int64_t tasks) override { log_variance_.set_task_count(tasks); }
  /// s, one scalar a task. Error: the number of tasks is not known yet.
  std::vector<Tensor> parameters() override { return log_variance_.parameters(); }
  NamedTensors state_dict() const override { return saved_numbers({&log_variance_}); }
  void load_state_dict(const NamedTensors& state) override {
    load_numbers(state, {&log_variance_});
  }

 private:
  static LearnedLoss formula(const Tensor& l, const Tensor& s) {
    const Tensor weights = (-s).exp() * 0.5, weighed = weights * l;
    return {.value = (weighed + torch::softplus(s)).sum(),
            .by_loss = weights,
            .by_number = s.sigmoid() - weighed};
  }

  TaskNumbers log_variance_;  // s, starts at 0
};

}  // namespace mtl
