#pragma once

#include <Eigen/Core>

#include <string_view>

#include "mtl/combine/gradients/cross_gramian.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// Multi-objective gradient with double sampling: weights move by a cross Gramian of two
/// independent batches; a third batch gives the update.
///     w <- project on the simplex: w - gamma (J_1 J_2' w + rho w)
/// Three batches a step: the trainer's and two by `TaskLosses::another_batch`. `aggregate` and
/// `weights` take the matrix they are given for J_1 J_2'.
/// Chen, Fernando, Ying, Chen, NeurIPS 2023 (arXiv 2305.20057).
class MoDo : public CrossGramianCombiner {
 public:
  static constexpr std::string_view name = "modo";
  struct Options {
    double gamma = 0.1;                                 ///< step of the weights
    double rho = 0.1;                                   ///< draws the weights together
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("gamma", gamma, positive);
      option.number("rho", rho, not_negative);
      describe_site(option, at);
    }
  };
  MoDo() : MoDo(Options{}) {}
  explicit MoDo(const Options& options)
      : CrossGramianCombiner(name, options.at), options_(checked(options, name)) {}

 protected:
  Eigen::VectorXd moved(const TaskLosses& /*rows*/, const Eigen::VectorXd& w,
                        const Eigen::MatrixXd& cross) override {
    const Eigen::VectorXd slopes = solvers::product(cross, w);
    return solvers::project_on_simplex(
        solvers::sum(w, -options_.gamma, solvers::sum(slopes, options_.rho, w)));
  }

 private:
  Options options_;
};

}  // namespace mtl
