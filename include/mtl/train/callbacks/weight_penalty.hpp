#pragma once

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// L1 and L2 penalties by the optimizer's parameter groups, beside what the combiner made of the
/// losses: no weight of a method touches them, and they are not clipped.
///     g += l1_k sign(w) + l2_k w       for the weights w of group k (complex: sign w = w / |w|),
/// the gradient of  sum l1_k |w| + l2_k w^2 / 2.  As an optimizer's weight decay it leaves weights
/// alone that got no gradient in this step.
///
///     mtl::WeightPenalty{.l1 = {1e-5, 0}, .l2 = {1e-4}}
///
/// A group beyond the end of a list has no penalty; the combiner's own group is the last.
struct WeightPenalty {
  std::vector<double> l1 = {};
  std::vector<double> l2 = {};

  void check_options() const {
    check("l1", l1);
    check("l2", l2);
  }

  /// Error: there are more penalties than groups.
  void on_fit_begin(TrainState& state) const {
    const size_t groups = state.optimizer.param_groups().size();
    if (l1.size() > groups || l2.size() > groups)
      throw Error("WeightPenalty: found {} numbers l1 and {} l2, but the optimizer has {} groups",
                  l1.size(), l2.size(), groups);
  }

  void on_gradients(TrainState& state) const {
    const torch::NoGradGuard no_grad;
    const auto& groups = state.optimizer.param_groups();
    const auto of_group = [](const std::vector<double>& list, size_t g) {
      return g < list.size() ? list[g] : 0.0;
    };
    for (size_t g = 0; g < groups.size(); ++g) {
      const double first = of_group(l1, g), second = of_group(l2, g);
      for (const Tensor& weight : groups[g].params()) {
        const Tensor& gradient = weight.grad();
        if (!gradient.defined()) continue;
        if (gradient.is_sparse()) {  // of the entries that got one
          const Tensor entries = gradient.coalesce();
          const Tensor own = weight.detach().sparse_mask(entries)._values();
          weight.mutable_grad() = torch::sparse_coo_tensor(
              entries._indices(), entries._values() + first * own.sgn() + second * own,
              entries.sizes());
          continue;
        }
        if (first > 0) gradient.add_(weight.sgn(), first);
        if (second > 0) gradient.add_(weight, second);
      }
    }
  }

 private:
  static void check(std::string_view name, const std::vector<double>& numbers) {
    for (const double number : numbers)
      if (!(number >= 0 && std::isfinite(number)))
        throw Error("WeightPenalty: found {} {}, expected a finite number of at least 0", name,
                    number);
  }
};

}  // namespace mtl
