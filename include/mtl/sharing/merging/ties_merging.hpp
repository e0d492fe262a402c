#pragma once

#include <algorithm>
#include <cmath>

#include "mtl/sharing/merging/task_vectors.hpp"

namespace mtl {

/// TIES: of each task vector only its largest entries, of those only the ones whose sign the tasks
/// elect. Against task vectors that cancel each other.
///     trim    u_t = v_t where |v_t| is among the largest `keep` of all entries of v_t, else 0
///     elect   s = sign(sum_t u_t), entry by entry
///     merge   theta_0 + scale * (mean or sum over the tasks with sign(u_t) = s) u_t
/// Yadav et al., NeurIPS 2023 (arXiv 2306.01708).
///
/// `keep` of n entries are round(keep * n), at least one; entries as large as the last of them are
/// kept, too, so that no order of entries decides: of all-equal magnitudes all stay. An entry whose
/// sum is 0 has no sign and stays as in the start.
struct TiesMerging {
  enum class Of { mean, sum };
  double keep = 0.2;   // share of the entries; the paper's
  Of of = Of::mean;    // the paper's
  double scale = 1.0;  // the paper's of a mean; 0.3 of a sum

  /// Error: no model, other names or shapes (merging_detail::check_models); `keep` outside (0, 1];
  /// a scale that is not finite.
  NamedTensors operator()(const NamedTensors& start, const std::vector<NamedTensors>& tuned) const {
    if (!(keep > 0 && keep <= 1))
      throw Error("TiesMerging: found keep {}, expected a share in (0, 1]", keep);
    merging_detail::require_finite("TiesMerging", "scale", scale);
    merging_detail::check_models(start, tuned);
    const std::vector<double> smallest = smallest_kept(start, tuned);
    return merging_detail::from_start(
        start, tuned, [&](const std::string&, const Tensor& vectors) -> Tensor {
          std::vector<Tensor> trimmed;
          for (size_t m = 0; m < smallest.size(); ++m) {
            const Tensor of_model = vectors[static_cast<int64_t>(m)];
            trimmed.push_back(of_model.masked_fill(of_model.abs() < smallest[m], 0));
          }
          const Tensor kept = at::stack(trimmed);
          const Tensor sign = kept.sum(0).sign();
          const Tensor agrees = kept.sign().eq(sign).logical_and(sign.ne(0));
          const Tensor sum = (kept * agrees).sum(0);
          return scale * (of == Of::sum ? sum : sum / agrees.sum(0).clamp_min(1));
        });
  }

 private:
  /// By model the magnitude of the smallest entry that is kept, over all tensors.
  std::vector<double> smallest_kept(const NamedTensors& start,
                                    const std::vector<NamedTensors>& tuned) const {
    std::vector<double> smallest;
    for (const NamedTensors& model : tuned) {
      std::vector<Tensor> entries;
      for (const auto& item : start)
        if (merging_detail::is_merged(item.key(), item.value()))
          entries.push_back(merging_detail::task_vectors(item.key(), item.value(), {model})
                                .abs()
                                .flatten()
                                .cpu());
      if (entries.empty()) return std::vector<double>(tuned.size(), 0.0);
      const Tensor all = at::cat(entries);
      const int64_t count =
          std::max<int64_t>(1, std::llround(keep * static_cast<double>(all.numel())));
      smallest.push_back(std::get<0>(all.kthvalue(all.numel() - count + 1)).item<double>());
    }
    return smallest;
  }
};

}  // namespace mtl
