#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/combine/gradients/cross_gramian.hpp"
#include "mtl/combine/gradients/preference.hpp"
#include "mtl/combine/solvers/simplex.hpp"
#include "mtl/combine/solvers/vectors.hpp"

namespace mtl {

/// Stochastic direction-oriented multi-objective gradient: MGDA's weights, drawn towards a
/// preferred direction, from a cross Gramian A = J_1 J_2' of two independent batches; a third gives
/// the update.
///     n_iter times, with momentum:  w <- project on the simplex: w - lr A (w + lambda p) / scale^2
///     weights = (w + lambda p) / (1 + lambda),   scale = mean sqrt(A_tt)
/// Three batches a step: the trainer's and two by `TaskLosses::another_batch`. `aggregate` and
/// `weights` take the matrix they are given for A.
/// Xiao, Ban, Ji, NeurIPS 2023 (arXiv 2305.18409).
class SdmGrad : public CrossGramianCombiner {
 public:
  static constexpr std::string_view name = "sdmgrad";
  struct Options {
    double lr = 10;                                     ///< of the weights
    double momentum = 0.5;                              ///< in [0, 1)
    int64_t n_iter = 20;                                ///< steps of the weights for each of ours
    double lambda = 0.3;                                ///< pull of the preference; 0 is MGDA
    std::vector<double> preference = {};                ///< p, by task of the registry
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("lr", lr, positive);
      option.number("momentum", momentum, below_one);
      option.count("n_iter", n_iter, 1);
      option.number("lambda", lambda, not_negative);
      option.numbers("preference", preference, any_number, "1/T each");
      describe_site(option, at);
    }
  };
  SdmGrad() : SdmGrad(Options{}) {}
  explicit SdmGrad(const Options& options)
      : CrossGramianCombiner(name, options.at),
        options_(checked(options, name)),
        preference_(options.preference, name) {}

  void set_task_count(int64_t tasks) override {
    CrossGramianCombiner::set_task_count(tasks);
    preference_.set_task_count(tasks);
  }

 protected:
  inline Eigen::VectorXd moved(const TaskLosses& rows, const Eigen::VectorXd& w,
                               const Eigen::MatrixXd& cross) override;
  Eigen::VectorXd of_update(const TaskLosses& step, const Eigen::VectorXd& w) override {
    return solvers::divided(solvers::sum(w, options_.lambda, preference_.of(step)),
                            1 + options_.lambda);
  }

 private:
  Options options_;
  Preference preference_;
};

inline Eigen::VectorXd SdmGrad::moved(const TaskLosses& rows, const Eigen::VectorXd& w,
                                      const Eigen::MatrixXd& cross) {
  const Eigen::VectorXd pull = solvers::times(options_.lambda, preference_.of(rows));
  double scale = 0;
  for (Eigen::Index t = 0; t < cross.rows(); ++t)
    scale += std::sqrt(std::max(0.0, cross(t, t))) / static_cast<double>(cross.rows());
  Eigen::VectorXd now = w, velocity = Eigen::VectorXd::Zero(w.size());
  for (int64_t k = 0; k < options_.n_iter; ++k) {
    velocity = solvers::sum(
        solvers::divided(solvers::product(cross, solvers::sum(now, 1, pull)), scale * scale + 1e-8),
        options_.momentum, velocity);
    now = solvers::project_on_simplex(solvers::sum(now, -options_.lr, velocity));
  }
  return now;
}

}  // namespace mtl
