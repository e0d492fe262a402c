#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "mtl/task/entries.hpp"
#include "mtl/task/streaming_metric.hpp"

// Angles between predicted and true surface normals (Fouhey et al., ICCV 2013). What the metrics
// take: predictions and targets [N, 3] or [N, 3, H, W], vectors of any length above 0 (a predicted
// one of length 0 stands at 90 degrees); a pixel with a NaN in its target is missing. All labelled
// pixels count alike, each with the weight [N] >= 0 of its sample. NaN without any label and where
// a prediction that counts is NaN.
namespace mtl::task_detail {

/// Calls `f(angle in degrees, weight)` for what counts. Error: other shapes. RowError: a true
/// normal of length 0.
template <class F>
void for_each_normal_angle(const Tensor& predictions, const Tensor& targets,
                           const Tensor& sample_weights, F f) {
  if (predictions.dim() < 2 || predictions.size(1) != 3 || predictions.sizes() != targets.sizes())
    throw Error("predictions {} and targets {}, expected normals [N, 3] or [N, 3, H, W]",
                shape_text(predictions), shape_text(targets));
  const auto by_pixel = [](const Tensor& tensor) { return tensor.movedim(1, -1).contiguous(); };
  const Tensor y = by_pixel(predictions.detach().to(torch::kCPU, torch::kDouble)),
               t = by_pixel(targets.to(torch::kCPU, torch::kDouble));
  const Tensor counts = by_pixel(entries_that_count(targets, sample_weights)).all(-1).contiguous();
  const Tensor weights = by_pixel(weights_of_entries(targets, sample_weights));
  for (int64_t i = 0; i < counts.numel(); ++i) {
    if (!counts.data_ptr<bool>()[i]) continue;
    const double *a = y.data_ptr<double>() + 3 * i, *b = t.data_ptr<double>() + 3 * i;
    if (b[0] == 0 && b[1] == 0 && b[2] == 0)
      throw RowError(i / (counts.numel() / counts.size(0)),
                     "the target has a normal of length 0 in ", "; a missing one is NaN");
    const double dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const double cross =
        std::hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
    const bool none = a[0] == 0 && a[1] == 0 && a[2] == 0;
    f(none ? 90 : std::atan2(cross, dot) * 180 / std::numbers::pi,
      weights.data_ptr<double>()[3 * i]);
  }
}

}  // namespace mtl::task_detail
