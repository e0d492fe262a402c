#pragma once

#include "mtl/task/labels.hpp"

namespace mtl {

/// For a task that is judged and not trained: its metrics count, its loss is no part of any step,
/// as if its target were missing. So of a prediction that is trained through another one only:
/// purchases after a click, which ESMM learns as a factor of purchases (DerivedTasks).
struct NoLoss {
  static constexpr LossKind kind = LossKind::classification;
  static constexpr bool trains = false;

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    const Tensor none = torch::zeros({target.size(0)}, prediction.options());
    return {none, none};
  }
};

}  // namespace mtl
