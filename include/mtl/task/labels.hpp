#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "mtl/core/batch.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/loss_kind.hpp"
#include "mtl/task/sample_losses.hpp"

namespace mtl {

/// An Error about one row of a batch. Who looked at a part of the batch only gives the row its
/// number in the whole before the error goes on.
class RowError : public Error {
 public:
  /// Reads `before` + "row 5" + `after`.
  RowError(int64_t row, std::string before, std::string after)
      : Error("{}row {}{}", before, row, after),
        row_(row),
        before_(std::move(before)),
        after_(std::move(after)) {}

  /// The same of the whole batch, of which `rows` [n] was the part; undefined: it was the whole.
  /// `first`: the number of the batch's first row in a whole of several.
  RowError in_whole(const Tensor& rows, int64_t first = 0) const {
    return {first + (rows.defined() ? rows[row_].item<int64_t>() : row_), before_, after_};
  }

 private:
  int64_t row_;
  std::string before_, after_;
};

/// The target in the prediction's shape, dtype and device. Lengths of 1 behind the first do not
/// count: [N] and [N, 1], [N, H, W] and [N, 1, H, W] mean the same, so that a head with one output
/// never broadcasts against its target to [N, N]. Error: the shapes differ otherwise.
Tensor match_target(const Tensor& prediction, const Tensor& target);

/// One value and one weight a sample out of element-wise losses [N, ...]: the mean over the
/// labelled entries of the sample, weighted with the share of its entries that is labelled, so that
/// the weighted mean over a batch is the mean over all its labelled entries.
/// A sample without any label has value 0 and weight 0, and its gradient is exactly 0.
SampleLosses over_labelled(const Tensor& losses, const Tensor& labelled);

/// Applies an element-wise loss where there is a label. Both arguments are 0 elsewhere, so that no
/// NaN of a missing label or of its prediction reaches a gradient.
template <class ElementLoss>
SampleLosses elementwise(const Tensor& prediction, const Tensor& target, ElementLoss loss) {
  const Tensor truth = match_target(prediction, target);
  const Tensor labelled = labelled_entries(target).reshape(truth.sizes());
  const Tensor missing = labelled.logical_not();
  return over_labelled(loss(prediction.masked_fill(missing, 0), truth.masked_fill(missing, 0)),
                       labelled);
}

/// The number of values K of a target [N, K] or [N] that a prediction [N, `parts` K] describes.
/// `meaning` is what errors call the parts. Error: other shapes.
int64_t values_per_sample(const Tensor& prediction, const Tensor& target, int64_t parts,
                          std::string_view meaning);

/// RowError: a class lies outside [0, classes) and is not missing. Error: the target has another
/// type than torch::kLong. Classes are looked at on the CPU only: elsewhere that would wait for the
/// device, and LibTorch's kernel asserts by itself.
void check_classes(const Tensor& target, int64_t classes);

/// RowError: a score lies outside [0, 1]; NaN and -100 are missing labels. On the CPU only, as
/// above.
void check_scores(const Tensor& target);

/// RowError: a count below 0; NaN and -100 are missing labels. On the CPU only, as above.
void check_counts(const Tensor& target);

}  // namespace mtl
