#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/make_combiner.hpp"

namespace mtl {

/// Correlation-reduced multi-objective gradients: the weights of any other method, smoothed over
/// the steps, so that they no longer follow the noise of one batch.
///     w <- alpha w + (1 - alpha) w_hat,   w = w_hat at first
///
///     CrMogm combiner(std::make_unique<Mgda>(), {.alpha = 0.9});
///
/// Zhou et al., On the Convergence of Stochastic Multi-Objective Gradient Manipulation and Beyond,
/// NeurIPS 2022.
class CrMogm : public GradientCombiner {
 public:
  static constexpr std::string_view name = "cr_mogm";
  struct Options {
    double alpha = 0.9;                                 ///< in [0, 1]
    std::string of = "mgda";                            ///< name of the method, where none is given
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("alpha", alpha, zero_to_one);
      option.word("of", of);
      describe_site(option, at);
    }
  };
  /// Smooths the method that `of` names. Error: that is none that weighs by the Gramian.
  explicit CrMogm(const Options& options) : CrMogm(named(options.of), options) {}
  explicit CrMogm(std::unique_ptr<GradientCombiner> of) : CrMogm(std::move(of), Options{}) {}
  /// Error: there is none.
  CrMogm(std::unique_ptr<GradientCombiner> of, const Options& options)
      : GradientCombiner({options.at, 1}),
        of_(std::move(of)),
        alpha_(checked(options, name).alpha) {
    if (of_ == nullptr)
      throw Error("combiner \"cr_mogm\" smooths the weights of another one, and was given none");
  }

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  inline Eigen::VectorXd weights_of(const TaskLosses& rows,
                                    const Eigen::MatrixXd& gramian) override;
  void set_task_count(int64_t tasks) override {
    weights_.set_task_count(tasks);
    of_->set_task_count(tasks);
  }
  inline NamedTensors state_dict() const override;
  inline void load_state_dict(const NamedTensors& state) override;

 protected:
  HeadGradient heads() const override { return HeadGradient::weighted; }
  bool keeps_zero_rows() const override { return true; }  // the inner method decides

 private:
  static std::unique_ptr<GradientCombiner> named(const std::string& of);

  std::unique_ptr<GradientCombiner> of_;
  double alpha_;
  TaskNumbers weights_{"weights", std::numeric_limits<double>::quiet_NaN()};  // NaN: not seen yet
};

inline std::unique_ptr<GradientCombiner> CrMogm::named(const std::string& of) {
  std::unique_ptr<Combiner> made = of == name ? nullptr : make_combiner(of);
  // These have losses or batches of their own to look at besides G.
  const bool by_gramian = of != "modo" && of != "sdmgrad" && of != "gradnorm" && of != "imtl";
  auto* inner = by_gramian ? dynamic_cast<GradientCombiner*>(made.get()) : nullptr;
  if (inner == nullptr)
    throw Error(
        "combiner \"cr_mogm\": option of is \"{}\", expected a method that weighs by the Gramian "
        "alone: mgda, pcgrad, cagrad, imtl_g, nash, aligned, fairgrad, upgrad, dualproj, config, "
        "pcd, krum",
        of);
  made.release();
  return std::unique_ptr<GradientCombiner>(inner);
}

inline Eigen::VectorXd CrMogm::weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) {
  Eigen::VectorXd smooth = of_->solve(rows, gramian);
  stationary_ = of_->stationary();
  const Eigen::VectorXd kept = weights_.present(rows);
  for (Eigen::Index i = 0; i < smooth.size(); ++i)
    if (!std::isnan(kept[i])) smooth[i] = alpha_ * kept[i] + (1 - alpha_) * smooth[i];
  weights_.keep(rows, smooth);
  return smooth;
}

inline NamedTensors CrMogm::state_dict() const {
  NamedTensors state = saved({&weights_});
  insert_under(state, "of.", of_->state_dict());
  return state;
}

inline void CrMogm::load_state_dict(const NamedTensors& state) {
  const NamedTensors inner = under(state, "of.");
  std::vector<std::string> names;
  for (const std::string& key : inner.keys()) names.push_back("of." + key);
  TaskNumbers loaded = weights_;
  load(state, {&loaded}, names);
  of_->load_state_dict(inner);
  weights_ = std::move(loaded);
}

}  // namespace mtl
