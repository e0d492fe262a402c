#pragma once

#include <torch/optim/optimizer.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace mtl {

/// The learning rates of the optimizer's groups.
inline std::vector<double> learning_rates(const torch::optim::Optimizer& optimizer) {
  std::vector<double> rates;
  for (const auto& group : optimizer.param_groups()) rates.push_back(group.options().get_lr());
  return rates;
}

/// The learning rates of one fit, and who has a say in them.
///
/// The base rates are those that the optimizer has when the fit begins; every schedule starts from
/// them, and at the end of the fit the optimizer gets them back, so that the next one starts anew.
/// Several schedules multiply: a group's rate is  base * product over schedules (its rate / base).
class LearningRates {
 public:
  explicit LearningRates(torch::optim::Optimizer& optimizer)
      : optimizer_(&optimizer), base_(learning_rates(optimizer)) {}

  /// By group.
  const std::vector<double>& base() const { return base_; }
  /// As they are now, by group.
  std::vector<double> now() const { return learning_rates(*optimizer_); }

  /// From now on the rates would be `rates`, by group, if `who` alone had a say. Groups that have
  /// joined since the fit began keep theirs. Error: fewer rates than groups.
  void set(const void* who, std::vector<double> rates);

  /// Gives the optimizer its base rates back; nothing where nobody had a say.
  void put_back() {
    if (says_.empty()) return;
    says_.clear();
    apply();
  }

 private:
  struct Say {
    const void* who;
    std::vector<double> rates;
  };

  void apply() {
    auto& groups = optimizer_->param_groups();
    for (size_t g = 0; g < std::min(groups.size(), base_.size()); ++g) {
      double rate = base_[g];
      bool changed = false;
      for (const Say& say : says_) {
        if (say.rates.at(g) == base_[g]) continue;
        // The first change as it is, so that a schedule alone gives its rates to the bit.
        if (!changed)
          rate = say.rates[g];
        else
          rate *= base_[g] == 0 ? 0 : say.rates[g] / base_[g];
        changed = true;
      }
      groups[g].options().set_lr(rate);
    }
  }

  torch::optim::Optimizer* optimizer_;
  std::vector<double> base_;
  std::vector<Say> says_;
};

}  // namespace mtl
