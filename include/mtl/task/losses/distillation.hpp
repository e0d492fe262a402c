#pragma once

#include "mtl/task/labels.hpp"

namespace mtl {

/// Distillation: learns another network's soft answers instead of labels.
///     classes    T^2 KL(softmax(t / T) || softmax(y / T))     along dimension 1
///     scores     T^2 KL(sigmoid(t / T) || sigmoid(y / T))     output by output
/// Hinton, Vinyals and Dean 2015 (arXiv 1503.02531). T^2 keeps the gradient's size whatever the
/// temperature is, so that it weighs beside a loss of labels as the weights say. 0 where both say
/// the same; no loss of numbers is needed, MeanSquaredError of the teacher's predictions does.
///
/// Prediction y and target t [N, C], or [N, C, ...]: both scores (logits), as heads give them
/// (`taught` puts a teacher's into a batch). A missing answer is NaN; of classes one NaN makes the
/// whole answer missing. A sample's value is the mean over its pixels, steps or outputs.
struct Distillation {
  enum class Of { classes, scores };
  Of of = Of::classes;
  double temperature = 2.0;  ///< above 1 shows what the teacher takes for second best

  static constexpr LossKind kind = LossKind::classification;
  bool yes_or_no() const { return of == Of::scores; }

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    const Tensor answers = match_target(prediction, target);
    if (prediction.dim() < 2)
      throw Error("Distillation: the prediction has shape {}, expected [N, C, ...]",
                  shape_text(prediction));
    Tensor labelled = labelled_entries(answers);
    if (of == Of::classes) labelled = labelled.all(1, /*keepdim=*/true).expand(answers.sizes());
    const Tensor missing = labelled.logical_not();
    const Tensor y = prediction.masked_fill(missing, 0) / temperature;
    const Tensor t = answers.masked_fill(missing, 0) / temperature;
    const double size = temperature * temperature;
    if (of == Of::classes) {
      const Tensor log_t = t.log_softmax(1);
      return over_labelled(size * (log_t.exp() * (log_t - y.log_softmax(1))).sum(1),
                           labelled.select(1, 0));
    }
    const auto of_outcome = [](const Tensor& log_t, const Tensor& log_y) {
      return log_t.exp() * (log_t - log_y);
    };
    return over_labelled(size * (of_outcome(torch::log_sigmoid(t), torch::log_sigmoid(y)) +
                                 of_outcome(torch::log_sigmoid(-t), torch::log_sigmoid(-y))),
                         labelled);
  }

  /// Error: a temperature that is not above 0.
  void check() const {
    if (!(temperature > 0 && temperature < 1e300))
      throw Error("Distillation: temperature is {}, expected a number above 0", temperature);
  }
};

}  // namespace mtl
