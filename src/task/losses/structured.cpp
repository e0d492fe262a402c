#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "mtl/task/losses/ctc.hpp"
#include "mtl/task/losses/dice.hpp"

namespace mtl {
namespace {

/// Prediction and truth as [N, C, M] with zeros where there is no label, which is [N, M].
struct Regions {
  Tensor predicted, truth, labelled;
};

Regions class_regions(const Tensor& prediction, const Tensor& target) {
  const int64_t classes = prediction.size(1);
  check_classes(target, classes);
  const Tensor pixels = target.flatten(1);
  const Tensor labelled = pixels.ne(missing_class);
  const Tensor missing = labelled.logical_not().unsqueeze(1);
  const Tensor truth = torch::zeros({pixels.size(0), classes, pixels.size(1)}, prediction.options())
                           .scatter_(1, pixels.clamp_min(0).unsqueeze(1), 1)
                           .masked_fill(missing, 0);
  const Tensor predicted =
      prediction.flatten(2).masked_fill(missing, 0).softmax(1).masked_fill(missing, 0);
  return {predicted, truth, labelled};
}

Regions binary_regions(const Tensor& prediction, const Tensor& target) {
  check_scores(target);
  const Tensor truth = match_target(prediction, target).flatten(1).unsqueeze(1);
  const Tensor labelled = labelled_entries(target).view(prediction.sizes()).flatten(1);
  const Tensor missing = labelled.logical_not().unsqueeze(1);
  const Tensor predicted =
      prediction.flatten(1).unsqueeze(1).masked_fill(missing, 0).sigmoid().masked_fill(missing, 0);
  return {predicted, truth.masked_fill(missing, 0), labelled};
}

/// How many steps a label sequence needs: one a label, and a blank between equal neighbours.
int64_t steps_needed(const int64_t* labels, int64_t length) {
  int64_t steps = length;
  for (int64_t i = 1; i < length; ++i) steps += labels[i] == labels[i - 1];
  return steps;
}

void check_sequences(const Tensor& target, int64_t steps, int64_t blank, bool zero_infinity) {
  if (!target.device().is_cpu()) return;
  const Tensor rows = target.contiguous();
  for (int64_t row = 0; row < rows.size(0); ++row) {
    const int64_t* const labels = rows.data_ptr<int64_t>() + row * rows.size(1);
    int64_t length = 0;
    while (length < rows.size(1) && labels[length] != missing_class) ++length;
    for (int64_t i = length; i < rows.size(1); ++i) {
      if (labels[i] == missing_class) continue;
      throw Error("the target has label {} behind the end (-100) of the sequence in row {}",
                  labels[i], row);
    }
    for (int64_t i = 0; i < length; ++i) {
      if (labels[i] != blank) continue;
      throw Error("the target has the blank ({}) as a label in row {}", blank, row);
    }
    const int64_t needed = steps_needed(labels, length);
    if (needed > steps && !zero_infinity) {
      throw Error(
          "the label sequence in row {} needs {} steps, but the prediction has {}. Give the head "
          "more "
          "steps, or set zero_infinity to leave such samples out",
          row, needed, steps);
    }
  }
}

}  // namespace

void Dice::check() const {
  if (!(smooth > 0)) throw Error("Dice: smooth is {}, expected a positive number", smooth);
}

SampleLosses Dice::operator()(const Tensor& prediction, const Tensor& target) const {
  if (prediction.dim() < 2 || target.dim() < 2 || prediction.size(0) != target.size(0)) {
    throw Error("the prediction has shape {}, its target {}; Dice expects pixels: [N, C, ...]",
                shape_text(prediction), shape_text(target));
  }
  const bool by_class = prediction.dim() == target.dim() + 1 && prediction.size(1) > 1;
  if (by_class && prediction.numel() != target.numel() * prediction.size(1)) {
    throw Error("the prediction has shape {}, its target {}; expected [N, C, ...] and [N, ...]",
                shape_text(prediction), shape_text(target));
  }
  const bool extra_channel = prediction.dim() == target.dim() + 1 && prediction.size(1) == 1;
  const auto [predicted, truth, labelled] =
      by_class ? class_regions(prediction, target)
               : binary_regions(extra_channel ? prediction.squeeze(1) : prediction, target);
  const Tensor overlap = (predicted * truth).sum(2);
  const Tensor total = predicted.sum(2) + truth.sum(2);
  const Tensor values = 1 - ((2 * overlap + smooth) / (total + smooth)).mean(1);
  const Tensor any = labelled.any(1);
  return {values.masked_fill(any.logical_not(), 0), any.to(values.scalar_type())};
}

SampleLosses Ctc::operator()(const Tensor& prediction, const Tensor& target) const {
  if (prediction.dim() != 3 || target.dim() != 2 || prediction.size(0) != target.size(0)) {
    throw Error(
        "the prediction has shape {}, its target {}; Ctc expects logits [N, steps, C] and labels "
        "[N, L] filled up with -100",
        shape_text(prediction), shape_text(target));
  }
  const int64_t steps = prediction.size(1);
  const int64_t classes = prediction.size(2);
  if (blank < 0 || blank >= classes) {
    throw Error("Ctc: the blank is class {}, but the head has {} outputs", blank, classes);
  }
  check_classes(target, classes);
  check_sequences(target, steps, blank, zero_infinity);
  const Tensor lengths = target.ne(missing_class).sum(1);
  const Tensor missing = lengths.eq(0);
  const Tensor log_probability =
      prediction.masked_fill(missing.view({-1, 1, 1}), 0).log_softmax(2).transpose(0, 1);
  // LibTorch walks over the lengths on the host.
  const Tensor host_lengths = lengths.to(torch::kCPU);
  const Tensor losses =
      torch::ctc_loss(log_probability, target.masked_fill(target.eq(missing_class), blank),
                      torch::full({prediction.size(0)}, steps, torch::kLong), host_lengths, blank,
                      at::Reduction::None, zero_infinity);
  return {losses.masked_fill(missing, 0) / lengths.clamp_min(1),
          missing.logical_not().to(losses.scalar_type())};
}

}  // namespace mtl
