#pragma once

#include "mtl/combine/gradients/imtl_g.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Impartial learning, both parts: losses balanced by learned scales (IMTL-L), the gradients of the
/// scaled losses by ImtlG.
///     L_t = e^(s_t) l_t - s_t
/// The scales join the optimizer as parameters of the combiner. `aggregate` knows no losses and
/// balances the gradients alone.
/// Liu et al., Towards Impartial Multi-task Learning, ICLR 2021.
class Imtl : public ImtlG {
 public:
  Imtl() : Imtl(TaskCount{}, Options{}) {}
  explicit Imtl(const Options& options) : Imtl(TaskCount{}, options) {}
  /// Without tasks their number is found at the first step.
  explicit Imtl(TaskCount tasks) : Imtl(tasks, Options{}) {}
  Imtl(TaskCount tasks, const Options& options);

  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  std::vector<Tensor> parameters() override { return {log_scale_}; }
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Tensor log_scale_;  // s [T], double, on the CPU
};

}  // namespace mtl
