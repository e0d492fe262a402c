#pragma once

#include <vector>

#include "mtl/combine/losses/per_task.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Impartial learning, the part for the losses: scales that bring all scaled losses to one size.
///     sum e^s_t l_t - s_t                                       s trained, starts at 0
/// Liu et al., ICLR 2021 (IMTL-L). At the optimum of s every e^s_t l_t is 1. Its part for the
/// gradients is IMTL-G; both together are IMTL.
class ImtlL : public LossCombiner {
 public:
  /// Without tasks their number is that of the first step.
  explicit ImtlL(TaskCount tasks = {});

  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;
  std::vector<Tensor> parameters() override { return {log_scale_.tensor()}; }
  NamedTensors state_dict() const override { return log_scale_.state_dict(); }
  void load_state_dict(const NamedTensors& state) override { log_scale_.load_state_dict(state); }

 private:
  static Tensor weigh(const TaskLosses& losses, const Tensor& s);

  TaskParameter log_scale_;  // s
};

}  // namespace mtl
