#pragma once

#include <ATen/ops/log_sigmoid.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "mtl/task/assignment.hpp"
#include "mtl/task/losses/box_loss.hpp"

namespace mtl {

/// The loss of a set of boxes in no order: of all ways to give every object an answer of its own
/// the cheapest, found exactly (cheapest_assignment). The matched answers learn class and box, all
/// others that there is nothing:
///     min over assignments of  sum over objects g of  score yes(q_g, class g) + box(q_g, g)
///                            + score sum of no(q, c) over all other answers and classes
///     yes = -alpha (1 - p)^gamma log p,   no = -(1 - alpha) p^gamma log(1 - p),   p = sigmoid
/// over the number of objects, where a picture without objects counts as one. Carion et al., ECCV
/// 2020 (arXiv 2005.12872); focal scores and weights as Zhu et al., ICLR 2021 (arXiv 2010.04159).
///
/// As MeanAveragePrecision takes them: prediction [N, Q, 4 + C], Q answers a picture, each a box
/// and a logit a class; target [N, G, 5], boxes and classes, real, rows filled up with NaN. A
/// picture without any object has a row of class -1; one of NaN only is missing. Boxes in shares of
/// the picture, for which the weights are made. The costs are looked at on the CPU.
struct BoxSetLoss {
  double score = 2.0;   ///< > 0, the weight of yes and no
  double alpha = 0.25;  ///< in (0, 1): a yes against a no, of which there are many more
  double gamma = 2.0;   ///< >= 0, as Focal
  BoxLoss box = {};

  static constexpr LossKind kind = LossKind::regression;
  static constexpr LossOutputs outputs = LossOutputs::unordered;

  /// Error: other shapes. RowError: a class that has no logit, a box without area (on the CPU),
  /// more objects than answers.
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    if (prediction.dim() != 3 || target.dim() != 3 || prediction.size(2) < 5 ||
        target.size(2) != 5 || prediction.size(0) != target.size(0) || !target.is_floating_point())
      throw Error(
          "the prediction has shape {}, its target {}; BoxSetLoss expects boxes and logits "
          "[N, Q, 4 + C], boxes and classes [N, G, 5] in a real type",
          shape_text(prediction), shape_text(target));
    const int64_t n = prediction.size(0), answers = prediction.size(1), objects = target.size(1);
    const Tensor truth = target.to(prediction.options());
    const Tensor classes = truth.select(2, 4);
    const Tensor there = truth.isnan().any(2).logical_not().logical_and(classes.ne(-1));  // [N, G]
    check_classes_of(classes, there, prediction.size(2) - 4);
    const Tensor missing = truth.isnan().flatten(1).all(1);  // [N]
    const Tensor y = prediction.masked_fill(missing.view({n, 1, 1}), 0);

    const Tensor logits = y.slice(2, 4);
    const Tensor log_yes = at::log_sigmoid(logits), log_no = at::log_sigmoid(-logits);
    const Tensor yes = -alpha * (gamma * log_no).exp() * log_yes;       // [N, Q, C]
    const Tensor no = -(1 - alpha) * (gamma * log_yes).exp() * log_no;  // of the same shape
    const Tensor of_object = classes.masked_fill(there.logical_not(), 0).to(torch::kLong);
    const std::vector<int64_t> pairs{n, answers, objects};
    const Tensor turned = (yes - no).gather(2, of_object.unsqueeze(1).expand(pairs));

    const Tensor boxes =
        truth.slice(2, 0, 4).masked_fill(there.logical_not().unsqueeze(2), std::nan(""));
    if (target.device().is_cpu()) box(boxes, boxes);  // RowError: a box without area
    const auto paired = [&](const Tensor& of, int64_t dim) {
      return of.unsqueeze(dim).expand({n, answers, objects, 4}).reshape({-1, 4});
    };
    const Tensor places = box(paired(y.slice(2, 0, 4), 2), paired(boxes, 1)).values.view(pairs);
    const Tensor costs = score * turned + places;

    const Tensor matched = torch::where(matches(costs, there), costs, torch::zeros_like(costs));
    const Tensor count = there.sum(1).clamp_min(1).to(y.scalar_type());
    const Tensor sums = score * no.sum({1, 2}) + matched.sum({1, 2});
    return {(sums / count).masked_fill(missing, 0), count.masked_fill(missing, 0)};
  }

  /// Error: a number outside its range.
  void check() const {
    if (!(score > 0 && std::isfinite(score) && alpha > 0 && alpha < 1 && gamma >= 0 &&
          std::isfinite(gamma)))
      throw Error(
          "BoxSetLoss: score is {}, alpha {} and gamma {}, expected finite numbers above 0, "
          "between 0 and 1, and of at least 0",
          score, alpha, gamma);
    box.check();
  }

 private:
  static void check_classes_of(const Tensor& classes, const Tensor& there, int64_t count) {
    if (!classes.device().is_cpu()) return;
    const Tensor wrong = classes.ne(classes.floor())
                             .logical_or(classes.lt(0))
                             .logical_or(classes.ge(count))
                             .logical_and(there);
    if (wrong.any().item<bool>())
      throw RowError(wrong.nonzero()[0][0].item<int64_t>(),
                     "the target has class " +
                         std::to_string(classes.masked_select(wrong)[0].item<double>()) + " in ",
                     ", but there are logits of " + std::to_string(count) + " classes");
  }

  /// Which answer has which object: [N, Q, G] bool.
  static Tensor matches(const Tensor& costs, const Tensor& there) {
    // Answers that are NaN are somebody's all the same, so that the loss is NaN and seen.
    const Tensor table =
        costs.detach().to(torch::kCPU, torch::kDouble).nan_to_num(-1e12, 1e12, -1e12);
    const Tensor is_there = there.to(torch::kCPU);
    const Tensor chosen = torch::zeros(costs.sizes(), torch::kBool);
    for (int64_t row = 0; row < table.size(0); ++row) {
      const Tensor objects = is_there[row].nonzero().flatten();
      if (objects.size(0) > table.size(1))
        throw RowError(row, "there are " + std::to_string(objects.size(0)) + " objects in ",
                       ", but " + std::to_string(table.size(1)) +
                           " answers a picture; let the head give more");
      const auto of_objects = cheapest_assignment(table[row].index_select(1, objects).t());
      for (int64_t g = 0; g < objects.size(0); ++g)
        chosen[row][of_objects[static_cast<size_t>(g)]][objects[g].item<int64_t>()] = true;
    }
    return chosen.to(costs.device());
  }
};

}  // namespace mtl
