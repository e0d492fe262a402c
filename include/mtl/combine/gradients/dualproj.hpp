#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/preference.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// The preferred (by default: mean) gradient, projected on the dual cone: the nearest direction
/// that hurts no task.
///     w = argmin { v'Gv : v >= preference }
/// Lopez-Paz and Ranzato, Gradient Episodic Memory, NeurIPS 2017 (arXiv 1706.08840).
class DualProj : public GradientCombiner {
 public:
  static constexpr std::string_view name = "dualproj";
  struct Options {
    std::vector<double> preference = {};                ///< >= 0, by task of the registry
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.numbers("preference", preference, not_negative, "1/T each");
      describe_site(option, at, every);
    }
  };
  DualProj() : DualProj(Options{}) {}
  /// Error: preferences that are negative or not finite, or all zero.
  explicit DualProj(const Options& options)
      : GradientCombiner({options.at, options.every}),
        preference_(checked(options, name).preference, name) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  /// Error: preferences of another number of tasks.
  Eigen::VectorXd weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) override {
    return solvers::column(solvers::project_on_dual_cone(gramian, preference_.of(rows)), 0);
  }
  void set_task_count(int64_t tasks) override {
    GradientCombiner::set_task_count(tasks);
    preference_.set_task_count(tasks);
  }

 protected:
  bool keeps_zero_rows() const override { return true; }  // it counts in 1/T

 private:
  Preference preference_;
};

}  // namespace mtl
