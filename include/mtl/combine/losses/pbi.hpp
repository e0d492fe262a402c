#pragma once

#include <vector>

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// Penalty-based boundary intersection: how far the losses are along the ray of the weights, plus a
/// penalty for how far beside it.
///     d1 + theta d2,   d1 = (l - z) . w / |w|,   d2 = |l - z - d1 w / |w||
/// Zhang and Li, IEEE Transactions on Evolutionary Computation 2007 (MOEA/D).
class Pbi : public LossCombiner {
 public:
  struct Options {
    std::vector<double> weights = {};    ///< w, one a task; empty: equal
    double theta = 5.0;                  ///< >= 0, the paper's; 0 is a weighted sum
    std::vector<double> reference = {};  ///< z; empty: 0
  };
  Pbi() : Pbi(Options{}) {}
  explicit Pbi(Options options);

  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;

 private:
  Options options_;
  Tensor weights_, reference_;  // [T] or undefined
};

}  // namespace mtl
