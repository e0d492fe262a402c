#pragma once

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// The sum of the losses: every task counts as its loss is scaled. The baseline that is hard to
/// beat when losses are of one size (Xin et al., NeurIPS 2022; Kurin et al., NeurIPS 2022).
///     sum l_t
class Sum : public LossCombiner {
 public:
  Tensor combine(const TaskLosses& losses) override;
};

}  // namespace mtl
