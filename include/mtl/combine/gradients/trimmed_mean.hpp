#pragma once

#include "mtl/combine/gradient_combiner.hpp"

namespace mtl {

/// Element by element the mean of the task gradients without the `trim` largest and smallest.
/// Yin et al., Byzantine-Robust Distributed Learning, ICML 2018 (arXiv 1803.01498).
class TrimmedMean : public DirectionCombiner {
 public:
  struct Options {
    int64_t trim = 1;                                   ///< >= 0; more than 2 trim tasks are needed
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
  };
  TrimmedMean() : TrimmedMean(Options{}) {}
  explicit TrimmedMean(const Options& options);

  /// Error: too few tasks.
  Direction direction(const Rows& rows) override;

 private:
  int64_t trim_;
};

}  // namespace mtl
