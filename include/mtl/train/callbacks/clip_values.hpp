#pragma once

#include <cmath>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Brings every element of the gradient into [-limit, limit], of complex ones both parts, after the
/// trainer's clipping by norm. It turns the direction, which clipping by norm
/// (TrainerOptions::max_grad_norm) keeps.
struct ClipValues {
  double limit = 1.0;

  void check_options() const {
    if (!(limit > 0 && std::isfinite(limit)))
      throw Error("ClipValues: found limit {}, expected a finite number above 0", limit);
  }

  void on_gradients(TrainState& state) const {
    const torch::NoGradGuard no_grad;
    for (const auto& group : state.optimizer.param_groups())
      for (const Tensor& parameter : group.params()) {
        const Tensor& gradient = parameter.grad();
        if (!gradient.defined()) continue;
        if (gradient.is_sparse())
          parameter.mutable_grad() = clipped(gradient.coalesce());
        else
          in_real_parts(gradient).clamp_(-limit, limit);
      }
  }

 private:
  /// The same memory; a conjugate's parts lie within the limit where its own do.
  static Tensor in_real_parts(const Tensor& values) {
    if (!values.is_complex()) return values;
    return torch::view_as_real(values.is_conj() ? values.conj() : values);
  }
  Tensor clipped(const Tensor& sparse) const {
    return torch::sparse_coo_tensor(sparse.indices(), sparse.values().clamp(-limit, limit),
                                    sparse.sizes());
  }
};

}  // namespace mtl
