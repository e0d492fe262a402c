#pragma once

#include <vector>

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// Weighted sum with a reward for losses that lie along the weights, to spread solutions over the
/// front.
///     w . l - lambda cos(w, l)
/// Ruchte and Grabocka, ICDM 2021 (COSMOS; its sampling of w and conditioning of the network are
/// not part of this).
class Cosmos : public LossCombiner {
 public:
  struct Options {
    std::vector<double> weights = {};  ///< w, one a task; empty: 1 / T each
    double lambda = 2.0;               ///< the paper's value for Multi-MNIST; 0 is the weighted sum
  };
  Cosmos() : Cosmos(Options{}) {}
  explicit Cosmos(Options options);

  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;

 private:
  Options options_;
  Tensor weights_;  // [T] or undefined
};

}  // namespace mtl
