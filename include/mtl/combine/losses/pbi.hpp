#pragma once

#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"

namespace mtl {

/// Penalty-based boundary intersection: how far the losses are along the ray of the weights, plus a
/// penalty for how far beside it.
///     d1 + theta d2,   d1 = (l - z) . w / |w|,   d2 = |l - z - d1 w / |w||
/// Zhang and Li, IEEE Transactions on Evolutionary Computation 2007 (MOEA/D).
class Pbi : public LossCombiner {
 public:
  static constexpr std::string_view name = "pbi";
  struct Options {
    std::vector<double> weights = {};    ///< w, >= 0, one a task; empty: equal
    double theta = 5.0;                  ///< >= 0, the paper's; 0 is a weighted sum
    std::vector<double> reference = {};  ///< z; empty: 0
    void describe(OptionVisitor& option) {
      option.numbers("weights", weights, not_negative, "equal");
      option.number("theta", theta, not_negative);
      option.numbers("reference", reference, any_number, "0 each");
    }
  };
  Pbi() : Pbi(Options{}) {}
  /// Error: negative weights or none above zero; a theta that is negative or not finite; a
  /// reference that is not finite.
  explicit Pbi(const Options& options)
      : options_(checked(options, name)),
        weights_(weights_by_task(options.weights, name)),
        reference_(numbers_by_task(options.reference)) {}

  Tensor combine(const TaskLosses& losses) override {
    return value(losses, loss_values(losses, name));
  }
  Tensor total(const TaskLosses& losses) const override {
    return value(losses, stacked(losses.values));
  }
  void set_task_count(int64_t tasks) override {
    require_by_task(weights_, tasks, "weights");
    require_by_task(reference_, tasks, "reference losses");
  }

 private:
  Tensor value(const TaskLosses& losses, const Tensor& values) const;

  Options options_;
  Tensor weights_, reference_;  // [T] or undefined
};

inline Tensor Pbi::value(const TaskLosses& losses, const Tensor& values) const {
  const Tensor weights =
      weights_.defined() ? of_step(weights_, losses, "weights") : torch::ones_like(values.detach());
  const Tensor length = weights.norm();
  const Tensor ray = weights / length.masked_fill(length.eq(0), 1);
  const Tensor distance =
      reference_.defined() ? values - of_step(reference_, losses, "reference losses") : values;
  const Tensor along = distance.dot(ray);
  return along + options_.theta * (distance - along * ray).norm();
}

}  // namespace mtl
