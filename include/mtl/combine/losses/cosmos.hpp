#pragma once

#include <string_view>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"

namespace mtl {

/// Weighted sum with a reward for losses that lie along the weights, to spread solutions over the
/// front.
///     w . l - lambda cos(w, l)
/// where the cosine with losses that are all zero is 0. Ruchte and Grabocka, ICDM 2021 (COSMOS; its
/// sampling of w and conditioning of the network are not part of this).
class Cosmos : public LossCombiner {
 public:
  static constexpr std::string_view name = "cosmos";
  struct Options {
    std::vector<double> weights = {};  ///< w, >= 0, one a task; empty: 1 / T each
    double lambda = 2.0;               ///< >= 0, the paper's for Multi-MNIST; 0: the weighted sum
    void describe(OptionVisitor& option) {
      option.numbers("weights", weights, not_negative, "1/T each");
      option.number("lambda", lambda, not_negative);
    }
  };
  Cosmos() : Cosmos(Options{}) {}
  /// Error: negative weights or none above zero; a lambda that is negative or not finite.
  explicit Cosmos(const Options& options)
      : options_(checked(options, name)), weights_(weights_by_task(options.weights, name)) {}

  Tensor combine(const TaskLosses& losses) override {
    return value(losses, loss_values(losses, name));
  }
  Tensor total(const TaskLosses& losses) const override {
    return value(losses, stacked(losses.values));
  }
  void set_task_count(int64_t tasks) override { require_by_task(weights_, tasks, "weights"); }

 private:
  Tensor value(const TaskLosses& losses, const Tensor& values) const;

  Options options_;
  Tensor weights_;  // [T] or undefined
};

inline Tensor Cosmos::value(const TaskLosses& losses, const Tensor& values) const {
  const Tensor weights =
      weights_.defined()
          ? of_step(weights_, losses, "weights")
          : torch::full_like(values.detach(), 1.0 / static_cast<double>(losses.task_count));
  const Tensor product = values.dot(weights), lengths = values.norm() * weights.norm();
  return product - options_.lambda * product / lengths.masked_fill(lengths.eq(0), 1);
}

}  // namespace mtl
