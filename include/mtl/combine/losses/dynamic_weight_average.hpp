#pragma once

#include "mtl/combine/combiner.hpp"

namespace mtl {

/// Dynamic weight average: a task whose loss fell less in the last epoch counts more in this one.
///     sum w_t l_t,   w = T softmax(r / temperature),   r_t = mean loss(e - 1) / mean loss(e - 2)
/// with weights 1 in the first two epochs. Liu, Johns, Davison, CVPR 2019 (arXiv 1803.10704).
/// A task without labels in an epoch keeps the means it has; until it has two, its r is 1.
class DynamicWeightAverage : public LossCombiner {
 public:
  struct Options {
    double temperature = 2.0;  ///< > 0, the paper's; larger means more even weights
  };
  DynamicWeightAverage() : DynamicWeightAverage(Options{}) {}
  explicit DynamicWeightAverage(Options options);

  Tensor combine(const TaskLosses& losses) override;
  void end_epoch() override;
  /// The weights of the current epoch, [T]; undefined before the first step.
  const Tensor& weights() const { return weights_; }
  NamedTensors state_dict() const override;
  void load_state_dict(const NamedTensors& state) override;

 private:
  void update_weights();

  Options options_;
  Tensor sum_, steps_;         // of this epoch's losses, [T]
  Tensor last_, before_last_;  // epoch means, NaN where there is none yet, [T]
  Tensor weights_;             // [T]
};

}  // namespace mtl
