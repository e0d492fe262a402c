#pragma once

#include <vector>

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// A weighted sum with weights that stay: what one tunes by hand or by `tune_weights`.
///     sum w_t l_t
class FixedWeights : public LossCombiner {
 public:
  /// One weight a task, in the order of the registry. Error: none, or one that is not finite.
  explicit FixedWeights(const std::vector<double>& weights);

  Tensor combine(const TaskLosses& losses) override;
  Tensor total(const TaskLosses& losses) const override;

 private:
  Tensor weights_;  // [T], double
};

}  // namespace mtl
