#pragma once

#include <string_view>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/scalars.hpp"

namespace mtl {

/// The sum of the losses: every task counts as its loss is scaled. The baseline that is hard to
/// beat when losses are of one size (Xin et al., NeurIPS 2022; Kurin et al., NeurIPS 2022).
///     sum l_t
class Sum : public LossCombiner {
 public:
  static constexpr std::string_view name = "sum";

  Tensor combine(const TaskLosses& losses) override { return sum_of(checked_losses(losses, name)); }
};

}  // namespace mtl
