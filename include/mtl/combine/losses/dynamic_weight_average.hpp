#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/state/task_numbers.hpp"

namespace mtl {

/// Dynamic weight average: a task whose loss fell less in the last epoch counts more in this one.
///     sum w_t l_t,   w = T softmax(r / temperature),   r_t = mean loss(e - 1) / mean loss(e - 2)
/// with weights 1 in the first two epochs. Liu, Johns, Davison, CVPR 2019 (arXiv 1803.10704).
/// A task without labels in an epoch keeps the means it has; until it has two, its r is 1. r is at
/// most `highest_ratio`, also after a mean of 0; 0 after 0 is 1.
class DynamicWeightAverage : public LossCombiner {
 public:
  static constexpr std::string_view name = "dwa";
  static constexpr double highest_ratio = 100;
  struct Options {
    double temperature = 2.0;  ///< > 0, the paper's; larger means more even weights
    void describe(OptionVisitor& option) {
      option.number("temperature|temp", temperature, positive);
    }
  };
  DynamicWeightAverage() : DynamicWeightAverage(Options{}) {}
  /// Error: a temperature that is not positive and finite.
  explicit DynamicWeightAverage(const Options& options) : options_(checked(options, name)) {}

  /// FaultyStep: a loss below zero (checked on the CPU).
  inline Tensor combine(const TaskLosses& losses) override;
  inline void end_epoch() override;
  inline void set_task_count(int64_t tasks) override;
  /// The weights of the current epoch, [T]; undefined while the number of tasks is not known.
  const Tensor& weights() const { return weights_; }
  NamedTensors state_dict() const override {
    return saved_numbers({&sum_, &steps_, &last_, &before_last_});
  }
  void load_state_dict(const NamedTensors& state) override {
    load_numbers(state, {&sum_, &steps_, &last_, &before_last_});
    update_weights();
  }

 private:
  void update_weights();

  static constexpr double none_yet = std::numeric_limits<double>::quiet_NaN();

  Options options_;
  TaskNumbers sum_{"sum", 0}, steps_{"steps", 0};  // of this epoch's losses
  TaskNumbers last_{"last", none_yet}, before_last_{"before_last", none_yet};  // epoch means
  Tensor weights_;                                                             // [T]
};

inline void DynamicWeightAverage::set_task_count(int64_t tasks) {
  for (TaskNumbers* numbers : {&sum_, &steps_, &last_, &before_last_})
    numbers->set_task_count(tasks);
  if (!weights_.defined()) update_weights();
}

inline Tensor DynamicWeightAverage::combine(const TaskLosses& losses) {
  const Tensor values = loss_values(losses, name, LossRange::at_least_zero);
  set_task_count(losses.task_count);
  const Tensor seen = values.detach();
  // Where nobody has looked at the losses, one that is not finite must not stay in the means.
  const Tensor finite = seen.isfinite();
  sum_.add(losses, seen.masked_fill(finite.logical_not(), 0));
  steps_.add(losses, finite.to(seen.scalar_type()));
  return values.dot(of_step(weights_, losses, "weights"));
}

inline void DynamicWeightAverage::end_epoch() {
  if (sum_.size() == 0) return;
  const Eigen::VectorXd sum = sum_.all(), steps = steps_.all();
  Eigen::VectorXd last = last_.all(), before_last = before_last_.all();
  for (Eigen::Index t = 0; t < sum.size(); ++t) {
    if (steps[t] == 0) continue;
    before_last[t] = last[t];
    last[t] = sum[t] / steps[t];
  }
  last_.keep(last);
  before_last_.keep(before_last);
  sum_.reset();
  steps_.reset();
  update_weights();
}

inline void DynamicWeightAverage::update_weights() {
  weights_ = Tensor();
  if (sum_.size() == 0) return;
  const Eigen::VectorXd last = last_.all(), before_last = before_last_.all();
  std::vector<double> exponents;
  for (Eigen::Index t = 0; t < last.size(); ++t) {
    double ratio = last[t] / before_last[t];
    if (std::isnan(ratio)) ratio = 1;  // not two means yet, or 0 after 0
    exponents.push_back(std::min(ratio, highest_ratio) / options_.temperature);
  }
  weights_ = torch::tensor(exponents, torch::kDouble).softmax(0) * static_cast<double>(last.size());
}

}  // namespace mtl
