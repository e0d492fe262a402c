#pragma once

#include <Eigen/Core>

#include <string_view>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/task_shares.hpp"

namespace mtl {

/// What methods share that take three batches a step: weights on the simplex that move by the cross
/// Gramian J_1 J_2' of two independent batches, which is unbiased where G of one batch is not; a
/// third batch gives the update. The first is the step's own, the others come by
/// `TaskLosses::another_batch`.
///
/// Where labels are missing, the weights move by the tasks that have a gradient in both of the
/// first two batches, and the update is of those that have a label in the third.
class CrossGramianCombiner : public GradientCombiner {
 public:
  CrossGramianCombiner(std::string_view method, GradientSite at)
      : GradientCombiner({at, 1}), method_(method) {}

  /// One step of the weights along J_1 J_2' of these tasks; then theirs, [T].
  Eigen::VectorXd weights_of(const TaskLosses& rows, const Eigen::MatrixXd& cross) override;
  Eigen::VectorXd weights(const Eigen::MatrixXd& cross) override {
    return weights_of(unknown_losses(cross.rows()), cross);
  }
  /// Error: the losses have no further batch.
  void backward(const TaskLosses& losses, const Parameters& parameters) override;
  void set_task_count(int64_t tasks) override { shares_.numbers().set_task_count(tasks); }
  NamedTensors state_dict() const override { return saved({&shares_.numbers()}); }
  void load_state_dict(const NamedTensors& state) override { load(state, {&shares_.numbers()}); }

 protected:
  /// Where a step takes the weights w [P] of these tasks, both of sum 1.
  virtual Eigen::VectorXd moved(const TaskLosses& rows, const Eigen::VectorXd& w,
                                const Eigen::MatrixXd& cross) = 0;
  /// The weights of the update for weights w [P].
  virtual Eigen::VectorXd of_update(const TaskLosses& /*step*/, const Eigen::VectorXd& w) {
    return w;
  }
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }

 private:
  std::string_view method_;
  TaskShares shares_{"weights"};
};

}  // namespace mtl
