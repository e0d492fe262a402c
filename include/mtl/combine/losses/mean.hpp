#pragma once

#include <string_view>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"

namespace mtl {

/// The mean of the losses of the present tasks: as the sum, with a step that does not grow with the
/// tasks.
///     (1 / T) sum l_t
class Mean : public LossCombiner {
 public:
  static constexpr std::string_view name = "mean";

  Tensor combine(const TaskLosses& losses) override { return loss_values(losses, name).mean(); }
  Tensor total(const TaskLosses& losses) const override { return stacked(losses.values).mean(); }
};

}  // namespace mtl
