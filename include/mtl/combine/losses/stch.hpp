#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/state/task_numbers.hpp"

namespace mtl {

/// Smooth Tchebycheff scalarization: a soft maximum of the weighted losses, so that every
/// Pareto-optimal trade-off can be reached by some weights.
///     mu logsumexp_t(w_t (l_t - z_t) / mu)
/// Lin et al., ICML 2024 (arXiv 2402.19078). With `warm_up_epochs` n > 0 as its authors train
/// networks (and LibMTL has it, n = 4): `sum log l` for n epochs and one more that averages the
/// losses to the nadir, then
///     T mu logsumexp_t(log(l_t / nadir_t) / mu)
/// A task without labels in the averaging epoch has nadir 1.
class Stch : public LossCombiner {
 public:
  static constexpr std::string_view name = "stch";
  struct Options {
    double mu = 1.0;  ///< > 0, in units of the losses: near 0 only the worst task counts
    std::vector<double> weights = {};    ///< w, >= 0, one a task; empty: 1 / T each
    std::vector<double> reference = {};  ///< z, the best losses to hope for; empty: 0
    int64_t warm_up_epochs = 0;          ///< n; 0: the plain formula from the first step
    void describe(OptionVisitor& option) {
      option.number("mu", mu, positive);
      option.numbers("weights", weights, not_negative, "1/T each");
      option.numbers("reference", reference, any_number, "0 each");
      option.count("warm_up_epochs", warm_up_epochs, 0);
    }
  };
  Stch() : Stch(Options{}) {}
  /// Error: a mu that is not positive and finite; negative weights or none above zero; a reference
  /// that is not finite; a negative warm-up.
  explicit Stch(const Options& options)
      : options_(checked(options, name)),
        weights_(weights_by_task(options.weights, name)),
        reference_(numbers_by_task(options.reference)) {}

  /// FaultyStep: with a warm-up, a loss that is not positive (checked on the CPU).
  inline Tensor combine(const TaskLosses& losses) override;
  /// The plain formula; with a warm-up, whose values of different epochs cannot be compared, the
  /// sum.
  inline Tensor total(const TaskLosses& losses) const override;
  inline void end_epoch() override;
  inline void set_task_count(int64_t tasks) override;
  inline NamedTensors state_dict() const override;
  inline void load_state_dict(const NamedTensors& state) override;

 private:
  Tensor plain(const TaskLosses& losses, const Tensor& values) const;

  Options options_;
  Tensor weights_, reference_;  // [T] or undefined
  int64_t epoch_ = 0;
  TaskNumbers sum_{"sum", 0}, steps_{"steps", 0};  // of the losses in the averaging epoch
};

inline void Stch::set_task_count(int64_t tasks) {
  require_by_task(weights_, tasks, "weights");
  require_by_task(reference_, tasks, "reference losses");
  sum_.set_task_count(tasks);
  steps_.set_task_count(tasks);
}

inline void Stch::end_epoch() {
  ++epoch_;
  if (sum_.size() == 0 || epoch_ != options_.warm_up_epochs + 1) return;
  sum_.keep(sum_.all());  // from the device, once and for all
  steps_.keep(steps_.all());
}

inline Tensor Stch::combine(const TaskLosses& losses) {
  if (options_.warm_up_epochs == 0) return plain(losses, loss_values(losses, name));
  const Tensor values = loss_values(losses, "the warm-up of stch", LossRange::above_zero);
  set_task_count(losses.task_count);
  if (epoch_ < options_.warm_up_epochs) return values.log().sum();
  if (epoch_ == options_.warm_up_epochs) {
    // Where nobody has looked at the losses, one that is not finite must not stay in the nadir.
    const Tensor seen = values.detach(), finite = seen.isfinite();
    sum_.add(losses, seen.masked_fill(finite.logical_not(), 0));
    steps_.add(losses, finite.to(seen.scalar_type()));
    return values.log().sum();
  }
  const Eigen::VectorXd sum = sum_.present(losses), steps = steps_.present(losses);
  std::vector<double> nadir;
  for (Eigen::Index i = 0; i < sum.size(); ++i)
    nadir.push_back(steps[i] > 0 ? sum[i] / steps[i] : 1);
  const Tensor relative = values / like_losses(torch::tensor(nadir, torch::kDouble), losses);
  const double factor = static_cast<double>(losses.task_count) * options_.mu;
  return (relative.log() / options_.mu).logsumexp(0) * factor;
}

inline Tensor Stch::plain(const TaskLosses& losses, const Tensor& values) const {
  const Tensor distance =
      reference_.defined() ? values - of_step(reference_, losses, "reference losses") : values;
  const Tensor weighted = weights_.defined() ? distance * of_step(weights_, losses, "weights")
                                             : distance / static_cast<double>(losses.task_count);
  return (weighted / options_.mu).logsumexp(0) * options_.mu;
}

inline Tensor Stch::total(const TaskLosses& losses) const {
  if (options_.warm_up_epochs > 0) return LossCombiner::total(losses);
  return plain(losses, stacked(losses.values));
}

inline NamedTensors Stch::state_dict() const {
  if (options_.warm_up_epochs == 0) return NamedTensors();
  NamedTensors state = saved_numbers({&sum_, &steps_});
  state.insert("epoch", torch::tensor(epoch_));
  return state;
}

inline void Stch::load_state_dict(const NamedTensors& state) {
  if (options_.warm_up_epochs == 0) return LossCombiner::load_state_dict(state);
  const int64_t epoch = state_count(state, "epoch");
  load_numbers(state, {&sum_, &steps_}, {"epoch"});
  epoch_ = epoch;
}

}  // namespace mtl
