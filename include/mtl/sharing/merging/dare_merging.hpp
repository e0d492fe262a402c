#pragma once

#include <utility>

#include "mtl/core/random.hpp"
#include "mtl/sharing/merging/task_arithmetic.hpp"
#include "mtl/sharing/merging/task_vectors.hpp"

namespace mtl {

/// DARE: drops entries of the task vectors by chance and lets the others stand in for them, then
/// merges as another way does.
///     v_t <- v_t / (1 - drop) where its draw is at least `drop`, else 0
/// Yu et al., ICML 2024 (arXiv 2311.03099). Tuned weights lie close together and most of their
/// differences say the same, so that few of them do; what is dropped no longer cancels.
///
/// The same seed gives the same draws on every device: entry i of the k-th tensor of the start in
/// model m draws from (seed, m, k, i) alone.
struct DareMerging {
  double drop = 0.5;  // probability; the paper goes to 0.9 and above for large models
  uint64_t seed = 0;
  Merging then = TaskArithmetic{};  // what merges the thinned models; TiesMerging{} as well

  /// Error: no model, other names or shapes (merging_detail::check_models); `drop` outside [0, 1);
  /// what `then` says.
  NamedTensors operator()(const NamedTensors& start, const std::vector<NamedTensors>& tuned) const {
    if (!(drop >= 0 && drop < 1))
      throw Error("DareMerging: found drop {}, expected a probability in [0, 1)", drop);
    if (!then) throw Error("DareMerging: nothing merges the thinned models; give .then");
    merging_detail::check_models(start, tuned);
    std::vector<NamedTensors> thinned;
    for (size_t m = 0; m < tuned.size(); ++m) {
      const uint64_t of_model = mix_seed(seed, m);
      auto& model = thinned.emplace_back();
      for (size_t k = 0; k < start.size(); ++k) {
        const auto& [name, from] = start[k].pair();
        if (!merging_detail::is_merged(name, from)) {
          model.insert(name, tuned[m][name]);
          continue;
        }
        const Tensor vector = merging_detail::task_vectors(name, from, {tuned[m]})[0];
        const Tensor kept = uniforms(mix_seed(of_model, k), vector) >= drop;
        model.insert(name, from.detach().to(at::kDouble) + vector * kept / (1 - drop));
      }
    }
    return then(start, thinned);
  }
};

}  // namespace mtl
