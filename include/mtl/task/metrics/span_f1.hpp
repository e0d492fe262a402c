#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl {

/// F1 of tagged spans (names, aspects): a span counts as found when its type, its first and its
/// last token are right. Tags "B-type" begin one, "I-type" go on, "O" is outside; an I behind
/// another type or behind O begins one, too, as in conlleval and seqeval (whose f1_score this is).
///
/// Predictions [N, C, L] class scores or [N, L] class indices, targets [N, L] class indices, an
/// index into `tags`; -100 (filling, later pieces of a word) is left out of both. Sample weights
/// [N] >= 0. NaN without any span in truth or prediction, and where a score that counts is NaN.
/// Error: no tags, a tag that is none of these, another number of tags than classes.
struct SpanF1 {
  static constexpr bool higher_is_better = true;
  std::vector<std::string> tags = {};  ///< by class: {"O", "B-person", "I-person", ...}
  std::string name = "span_f1";

  struct State {
    double right = 0, truth = 0, predicted = 0;  // spans; NaN where a score is

    void merge(const State& other) {
      right += other.right;
      truth += other.truth;
      predicted += other.predicted;
    }
  };

  void add(State& state, const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights) const {
    check_tags(predictions, targets);
    const Tensor counts = task_detail::entries_that_count(targets, sample_weights).contiguous();
    const Tensor truth = task_detail::class_indices(targets, counts).contiguous();
    check_classes(truth, static_cast<int64_t>(tags.size()));
    const Tensor host = predictions.detach().to(torch::kCPU);
    const bool scores = predictions.dim() == 3;
    const Tensor known = host.masked_select(scores ? counts.unsqueeze(1) : counts);
    if (scores && known.isnan().any().item<bool>()) state.right = task_detail::no_value;
    const Tensor predicted =
        scores ? task_detail::first_largest(host) : task_detail::class_indices(host, counts);
    const Tensor wrong = predicted.lt(0)
                             .logical_or(predicted.ge(static_cast<int64_t>(tags.size())))
                             .logical_and(counts);
    if (wrong.any().item<bool>())
      throw RowError(wrong.nonzero()[0][0].item<int64_t>(),
                     "the prediction is class " +
                         std::to_string(predicted.masked_select(wrong)[0].item<int64_t>()) + " in ",
                     ", but there are " + std::to_string(tags.size()) + " tags");
    for (int64_t n = 0; n < truth.size(0); ++n) {
      const double weight = sample_weights.defined() ? sample_weights[n].item<double>() : 1;
      const auto row = [&](const Tensor& classes) { return spans_of(classes[n], counts[n]); };
      const std::vector<Span> true_spans = row(truth), found = row(predicted);
      double right = 0;
      for (const Span& span : found)
        right += std::count(true_spans.begin(), true_spans.end(), span) > 0;
      state.right += weight * right;
      state.truth += weight * static_cast<double>(true_spans.size());
      state.predicted += weight * static_cast<double>(found.size());
    }
  }
  double value(const State& state) const {
    const double spans = state.truth + state.predicted;
    return spans == 0 ? task_detail::no_value : 2 * state.right / spans;
  }
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const {
    return task_detail::at_once(*this, predictions, targets, sample_weights);
  }

 private:
  struct Span {
    std::string type;
    int64_t first, last;
    bool operator==(const Span&) const = default;
  };

  void check_tags(const Tensor& predictions, const Tensor& targets) const {
    const bool scores = predictions.dim() == 3 && targets.dim() == 2 &&
                        task_detail::are_class_scores(predictions, targets);
    if (!scores && (predictions.is_floating_point() || predictions.sizes() != targets.sizes() ||
                    targets.dim() != 2))
      throw Error(
          "SpanF1: predictions {} and targets {}, expected class scores [N, C, L] or class indices "
          "[N, L], and class indices [N, L]",
          shape_text(predictions), shape_text(targets));
    if (tags.empty() || (scores && predictions.size(1) != static_cast<int64_t>(tags.size())))
      throw Error("SpanF1: there are {} tags for predictions {}; give one a class, in their order",
                  tags.size(), shape_text(predictions));
    for (const std::string& tag : tags)
      if (tag != "O" && !tag.starts_with("B-") && !tag.starts_with("I-"))
        throw Error("SpanF1: found tag \"{}\", expected \"O\", \"B-<type>\" or \"I-<type>\"", tag);
  }

  /// In a row [L], tokens numbered among those that count.
  std::vector<Span> spans_of(const Tensor& classes, const Tensor& counts) const {
    std::vector<Span> spans;
    bool within = false;
    int64_t token = 0;
    for (int64_t i = 0; i < classes.numel(); ++i) {
      if (!counts.data_ptr<bool>()[i]) continue;
      const std::string& tag = tags[static_cast<size_t>(classes.data_ptr<int64_t>()[i])];
      const std::string type = tag.substr(std::min<size_t>(2, tag.size()));
      const bool goes_on = tag[0] == 'I' && within && spans.back().type == type;
      if (goes_on)
        spans.back().last = token;
      else if (tag != "O")
        spans.push_back({type, token, token});
      within = tag != "O";
      ++token;
    }
    return spans;
  }
};

}  // namespace mtl
