#pragma once

#include <cmath>
#include <string>

#include "mtl/task/labels.hpp"

namespace mtl {

/// The error of boxes, of their numbers and of what they cover:
///     l1 sum |y - t| + giou (1 - GIoU),   GIoU = overlap / union - (hull - union) / hull
/// where hull is the smallest box around both, so that boxes that do not touch are drawn together,
/// too. Rezatofighi et al., CVPR 2019 (arXiv 1902.09630); the weights are DETR's (Carion et al.,
/// ECCV 2020), for coordinates in shares of the picture: the first part is in their unit, the
/// second has none.
///
/// Prediction and target [N, 4], or [N, K, 4] for K boxes a sample in a known order, real. A box
/// with a NaN is missing; a sample's value is the mean over its labelled boxes.
struct BoxLoss {
  enum class Format { corners, center };  // x0, y0, x1, y1, or middle x, middle y, width, height

  double l1 = 5.0;    ///< >= 0
  double giou = 2.0;  ///< >= 0
  Format format = Format::corners;

  static constexpr LossKind kind = LossKind::regression;

  /// Error: other shapes. RowError: a target without area (on the CPU).
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    if (prediction.sizes() != target.sizes() || prediction.dim() < 2 || prediction.dim() > 3 ||
        prediction.size(-1) != 4)
      throw Error(
          "the prediction has shape {}, its target {}; BoxLoss expects boxes, both [N, 4] or both "
          "[N, K, 4]",
          shape_text(prediction), shape_text(target));
    const Tensor truth = target.to(prediction.options());
    const Tensor labelled = labelled_entries(truth).all(-1);
    const Tensor missing = labelled.logical_not().unsqueeze(-1);
    // A unit box in both places of a missing one: what is divided by is never 0.
    const Tensor unit = torch::tensor({format == Format::corners ? 0.0 : 0.5, 0.0, 1.0, 1.0});
    const Tensor filling = beside(unit, prediction);
    const Tensor y = torch::where(missing, filling, prediction);
    const Tensor t = torch::where(missing, filling, truth);
    const Tensor found = corners(y), true_box = corners(t);
    if (target.device().is_cpu()) check_areas(true_box);
    const Tensor losses =
        l1 * (y - t).abs().sum(-1) + giou * (1 - generalized_iou(found, true_box));
    return over_labelled(losses, labelled);
  }

  /// Error: a weight that is negative or not finite, or both 0.
  void check() const {
    const bool numbers = l1 >= 0 && giou >= 0 && std::isfinite(l1) && std::isfinite(giou);
    if (!numbers || l1 + giou == 0)
      throw Error(
          "BoxLoss: l1 is {} and giou {}, expected finite numbers of at least 0, one of them above",
          l1, giou);
  }

 private:
  Tensor corners(const Tensor& boxes) const {
    if (format == Format::corners) return boxes;
    const Tensor middle = boxes.slice(-1, 0, 2), half = boxes.slice(-1, 2, 4) / 2;
    return torch::cat({middle - half, middle + half}, -1);
  }

  /// [..., 2] width and height, 0 where the corners have changed places.
  static Tensor area(const Tensor& low, const Tensor& high) {
    const Tensor sizes = (high - low).clamp_min(0);
    return sizes.select(-1, 0) * sizes.select(-1, 1);
  }

  static Tensor generalized_iou(const Tensor& a, const Tensor& b) {
    const Tensor a_low = a.slice(-1, 0, 2), a_high = a.slice(-1, 2, 4);
    const Tensor b_low = b.slice(-1, 0, 2), b_high = b.slice(-1, 2, 4);
    const Tensor overlap = area(torch::maximum(a_low, b_low), torch::minimum(a_high, b_high));
    const Tensor both = area(a_low, a_high) + area(b_low, b_high) - overlap;
    const Tensor hull = area(torch::minimum(a_low, b_low), torch::maximum(a_high, b_high));
    return overlap / both - (hull - both) / hull;
  }

  static void check_areas(const Tensor& boxes) {
    const Tensor flat = area(boxes.slice(-1, 0, 2), boxes.slice(-1, 2, 4)).gt(0).logical_not();
    if (flat.any().item<bool>())
      throw RowError(flat.nonzero()[0][0].item<int64_t>(), "the target has a box without area in ",
                     "; corners are x0 < x1 and y0 < y1, sizes above 0, a missing box is NaN");
  }
};

}  // namespace mtl
