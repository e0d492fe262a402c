#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <utility>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// A metric is a struct with a `name` and `double operator()(predictions, targets)` over all
/// labelled samples of a data set. It may add `static constexpr bool higher_is_better` (default:
/// false, as for an error).
template <class F>
concept MetricFunction = requires(const F& metric, const Tensor& tensor) {
  { metric.name } -> std::convertible_to<std::string>;
  { metric(tensor, tensor) } -> std::convertible_to<double>;
};

/// A metric, its type forgotten.
class Metric {
 public:
  template <MetricFunction F>
  requires(!std::same_as<F, Metric>) Metric(F metric) : name(metric.name) {
    if constexpr (requires { F::higher_is_better; }) higher_is_better = F::higher_is_better;
    compute_ = [metric = std::move(metric)](const Tensor& p, const Tensor& t) -> double {
      return metric(p, t);
    };
  }

  /// `predictions` [N, ...] as the head gives them, `targets` [N, ...], labelled samples only.
  double operator()(const Tensor& predictions, const Tensor& targets) const {
    return compute_(predictions, targets);
  }

  std::string name;
  bool higher_is_better = false;

 private:
  std::function<double(const Tensor&, const Tensor&)> compute_;
};

}  // namespace mtl
