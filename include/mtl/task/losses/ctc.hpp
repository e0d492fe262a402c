#pragma once

#include "mtl/task/loss.hpp"

namespace mtl {

/// Connectionist temporal classification: the likelihood of a label sequence over all its
/// alignments with the time steps. Graves et al., ICML 2006.
///
/// Prediction [N, S, C]: logits by time step. Target [N, L]: classes (torch::kLong) other than the
/// blank, filled up with -100; a row of -100 only is a missing label. A sample's value is its
/// negative log-likelihood by label, as in LibTorch's mean. The lengths are read back from the
/// device.
struct Ctc {
  int64_t blank = 0;           ///< the class that means "no label here"
  bool zero_infinity = false;  ///< a label sequence too long for its S steps costs nothing; when
                               ///< false it is an Error (on CPU) or an infinite loss

  static constexpr LossKind kind = LossKind::classification;
  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const;
};

}  // namespace mtl
