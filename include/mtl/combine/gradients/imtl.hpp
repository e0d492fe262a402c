#pragma once

#include <cmath>
#include <string_view>
#include <vector>

#include "mtl/combine/gradients/imtl_g.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/task_count.hpp"

namespace mtl {

/// Impartial learning, both parts: losses balanced by learned scales (IMTL-L), the gradients of the
/// scaled losses by ImtlG.
///     L_t = e^(s_t) l_t - s_t
/// The scales join the optimizer as parameters of the combiner; a task absent from a batch keeps
/// its s. `aggregate` knows no losses and balances the gradients alone.
/// Liu et al., Towards Impartial Multi-task Learning, ICLR 2021.
class Imtl : public ImtlG {
 public:
  static constexpr std::string_view name = "imtl";
  Imtl() : Imtl(TaskCount{}, Options{}) {}
  explicit Imtl(const Options& options) : Imtl(TaskCount{}, options) {}
  /// Without tasks their number is that of the first step.
  explicit Imtl(TaskCount tasks) : Imtl(tasks, Options{}) {}
  Imtl(TaskCount tasks, const Options& options)
      : ImtlG(options), log_scale_("log_scale", 0, tasks.value) {}

  /// FaultyStep: a loss below zero; a loss or gradient that is NaN or infinite.
  inline void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void set_task_count(int64_t tasks) override {
    ImtlG::set_task_count(tasks);
    log_scale_.set_task_count(tasks);
  }
  /// s, one scalar a task. Error: the number of tasks is not known yet.
  std::vector<Tensor> parameters() override { return log_scale_.parameters(); }
  NamedTensors state_dict() const override { return saved({&log_scale_}); }
  void load_state_dict(const NamedTensors& state) override { load(state, {&log_scale_}); }

 private:
  TaskNumbers log_scale_;  // s
};

inline void Imtl::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  const at::AutoGradMode with_graph(true);  // also under NoGradGuard, as backward()
  check_losses(losses);
  const Eigen::VectorXd numbers = loss_numbers(losses, name, LossRange::at_least_zero);
  TaskLosses scaled = losses;
  const Eigen::VectorXd s = log_scale_.present(losses);
  Eigen::VectorXd gradient(losses.size());
  for (size_t i = 0; i < losses.values.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    const double factor = std::exp(s[row]);
    gradient[row] = factor * numbers[row] - 1;
    scaled.values[i] = factor * losses.values[i] - s[row];
  }
  ImtlG::backward(scaled, parameters);
  log_scale_.add_gradient(losses, gradient);
}

}  // namespace mtl
