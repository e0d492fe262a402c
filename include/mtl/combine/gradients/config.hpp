#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/preference.hpp"
#include "mtl/combine/solvers/equal_angles.hpp"

namespace mtl {

/// ConFIG, conflict-free inverse gradients: the direction at equal angles to all task gradients, as
/// long as their projections on it together.
///     u = normalise(pinv(U) preference),  U = unit rows;    d = (sum_t g_t'u) u
/// Liu, Chu, Thuerey, 2024 (arXiv 2408.11104).
class ConFig : public GradientCombiner {
 public:
  static constexpr std::string_view name = "config";
  struct Options {
    std::vector<double> preference = {};                ///< by task of the registry
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.numbers("preference", preference, any_number, "1 each");
      describe_site(option, at, every);
    }
  };
  ConFig() : ConFig(Options{}) {}
  /// Error: preferences that are not finite, or all zero.
  explicit ConFig(const Options& options)
      : GradientCombiner({options.at, options.every}),
        preference_(checked(options, name).preference, name) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  /// Error: preferences of another number of tasks.
  Eigen::VectorXd weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) override {
    return solvers::equal_angles(gramian, preference_.of(rows, 1.0));
  }
  void set_task_count(int64_t tasks) override {
    GradientCombiner::set_task_count(tasks);
    preference_.set_task_count(tasks);
  }

 private:
  Preference preference_;
};

}  // namespace mtl
