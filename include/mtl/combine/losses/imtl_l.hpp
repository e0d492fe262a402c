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

/// Impartial learning, the part for the losses: scales that bring all scaled losses to one size.
///     sum e^s_t l_t - s_t                                       s trained, starts at 0
/// Liu et al., ICLR 2021 (IMTL-L). At the optimum of s every e^s_t l_t is 1. Its part for the
/// gradients is IMTL-G; both together are IMTL. A task absent from a batch keeps its s. A run is
/// watched by the sum of the losses: this value falls with s while the losses stand still.
class ImtlL : public LossCombiner {
 public:
  static constexpr std::string_view name = "imtl_l";

  /// Without tasks their number is that of the first step.
  explicit ImtlL(TaskCount tasks = {}) : log_scale_("log_scale", 0, tasks.value) {}

  /// FaultyStep: a loss below zero (checked on the CPU).
  Tensor combine(const TaskLosses& losses) override {
    std::vector<Tensor> values = checked_losses(losses, name, LossRange::at_least_zero);
    return learned_loss(std::move(values), log_scale_.learned(losses), formula);
  }
  void set_task_count(int64_t tasks) override { log_scale_.set_task_count(tasks); }
  /// s, one scalar a task. Error: the number of tasks is not known yet.
  std::vector<Tensor> parameters() override { return log_scale_.parameters(); }
  NamedTensors state_dict() const override { return saved_numbers({&log_scale_}); }
  void load_state_dict(const NamedTensors& state) override { load_numbers(state, {&log_scale_}); }

 private:
  static LearnedLoss formula(const Tensor& l, const Tensor& s) {
    const Tensor weights = s.exp(), weighed = weights * l;
    return {.value = (weighed - s).sum(), .by_loss = weights, .by_number = weighed - 1};
  }

  TaskNumbers log_scale_;  // s
};

}  // namespace mtl
