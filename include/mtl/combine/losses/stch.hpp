#pragma once

#include <vector>

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// Smooth Tchebycheff scalarization: a soft maximum of the weighted losses, so that every
/// Pareto-optimal trade-off can be reached by some weights.
///     mu logsumexp_t(w_t (l_t - z_t) / mu)
/// Lin et al., ICML 2024 (arXiv 2402.19078). With `warm_up_epochs` n > 0 as its authors train
/// networks (and LibMTL has it, n = 4): `sum log l` for n epochs and one more that averages the
/// losses to the nadir, then
///     T mu logsumexp_t(log(l_t / nadir_t) / mu)
class Stch : public LossCombiner {
 public:
  struct Options {
    double mu = 1.0;  ///< > 0, in units of the losses: near 0 only the worst task counts
    std::vector<double> weights = {};    ///< w, >= 0, one a task; empty: 1 / T each
    std::vector<double> reference = {};  ///< z, the best losses to hope for; empty: 0
    int64_t warm_up_epochs = 0;          ///< n; 0: the plain formula from the first step
  };
  Stch() : Stch(Options{}) {}
  explicit Stch(Options options);

  /// Error: a loss that is not positive where its logarithm is taken (checked on CPU).
  Tensor combine(const TaskLosses& losses) override;
  /// The plain formula; with a warm-up, whose values of different epochs cannot be compared, the
  /// sum.
  Tensor total(const TaskLosses& losses) const override;
  void end_epoch() override;
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  Options options_;
  Tensor weights_, reference_;  // [T] or undefined
  int64_t epoch_ = 0;
  Tensor sum_, steps_;  // of the losses in the averaging epoch, [T]
};

}  // namespace mtl
