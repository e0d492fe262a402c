#pragma once

#include <cstdint>
#include <optional>

#include "mtl/core/error.hpp"
#include "mtl/evaluate/tuning/sobol_search.hpp"
#include "mtl/evaluate/tuning/tuner.hpp"
#include "mtl/evaluate/tuning/tuning_trial.hpp"

namespace mtl::evaluate {

/// The logarithm of the expected improvement E[max(best - f, 0)] of a normal f, where lower is
/// better; also where the improvement itself is too small for a double. A deviation of zero gives
/// log(max(best - mean, 0)).
double log_expected_improvement(double mean, double deviation, double best);

/// Bayesian optimisation: `start` points of Sobol's sequence, then always the point where a
/// Gaussian process with the kernel Matern 5/2, fitted to all that is known, expects the largest
/// improvement over the best place tried, as the process sees it: with noise, the lowest score is a
/// lucky one. For up to some 20 dimensions and a few hundred trials.
///
/// A failed trial counts as the worst that ended, one that ran away (very much worse than the
/// others) as bad, a stopped one with what it had reached, and one that still runs as the process
/// expects it to end, so that several may be asked for at once.
/// A choice is as many dimensions as it has names. Jones, Schonlau and Welch, J. Glob. Optim. 13
/// (1998); Snoek, Larochelle and Adams, NeurIPS 2012 (arXiv 1206.2944).
/// Error: fewer than 2 points to start with; as SobolSearch.
struct ExpectedImprovement {
  int64_t start = 10;
  int64_t candidates = 2000;  ///< random points, the best of which are refined by their slope

  void check_options(const SearchSpace& space, int64_t trials) const {
    if (start < 2) throw Error("ExpectedImprovement: start = {}, expected at least 2", start);
    if (candidates < 1)
      throw Error("ExpectedImprovement: candidates = {}, expected at least 1", candidates);
    SobolSearch{}.check_options(space, trials);
  }

  std::optional<Proposal> operator()(const SearchState& state) const;
};

/// The finished trial that looks best to a Gaussian process fitted to all trials, and the score
/// that the process expects of it: with noise a better choice than the best score. None where fewer
/// than two ended with a score.
std::optional<Tuner::Best> expected_best(const Tuner& tuner);

}  // namespace mtl::evaluate
