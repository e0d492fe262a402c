#pragma once

#include <concepts>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"

namespace mtl {

/// A weighted sum with weights that stay: what one tunes by hand or by `tune_weights`.
///     sum w_t l_t
class FixedWeights : public LossCombiner {
 public:
  static constexpr std::string_view name = "fixed";
  struct Options {
    std::vector<double> weights;  ///< w >= 0, one a task, in the order of the registry; required
    void describe(OptionVisitor& option) {
      option.numbers("weights", weights, not_negative, "required");
    }
  };
  /// Error: no weight, one that is negative or not finite, or all are zero.
  explicit FixedWeights(std::vector<double> weights)
      : weights_(weights_by_task(checked(Options{std::move(weights)}, name).weights, name)) {
    if (!weights_.defined())
      throw Error("combiner \"fixed\": no weight is given, expected one a task");
  }
  template <std::same_as<Options> Given>  // FixedWeights({}) is an empty list
  explicit FixedWeights(const Given& options) : FixedWeights(options.weights) {}

  Tensor combine(const TaskLosses& losses) override {
    return loss_values(losses, name).dot(of_step(weights_, losses, what));
  }
  Tensor total(const TaskLosses& losses) const override {
    return stacked(losses.values).dot(of_step(weights_, losses, what));
  }
  void set_task_count(int64_t tasks) override { require_by_task(weights_, tasks, what); }

 private:
  static constexpr std::string_view what = "fixed weights";

  Tensor weights_;  // [T], double
};

}  // namespace mtl
