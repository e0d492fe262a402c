#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// A function of all labelled samples of a data set: `double(predictions, targets)`, or with the
/// sample weights [N] (undefined: all one) as a third argument.
template <class F>
concept MetricFunction = requires(const F& function, const Tensor& tensor) {
  requires std::is_invocable_r_v<double, const F&, const Tensor&, const Tensor&> ||
      std::is_invocable_r_v<double, const F&, const Tensor&, const Tensor&, const Tensor&>;
};

/// A MetricFunction with a `name`. It may add `static constexpr bool higher_is_better` (default:
/// false, as for an error).
template <class F>
concept NamedMetricFunction = MetricFunction<F> && requires(const F& metric) {
  { metric.name } -> std::convertible_to<std::string>;
};

/// Which of two values of a metric is the better one.
enum class Better { lower, higher };

/// A metric, its type forgotten.
///
///     Metric(Accuracy{})
///     Metric("gain", [](const Tensor& y, const Tensor& t) { return ...; }, Better::higher)
class Metric {
 public:
  template <NamedMetricFunction F>
  requires(!std::same_as<F, Metric>) Metric(F metric) : name(metric.name) {
    if constexpr (requires { F::higher_is_better; }) higher_is_better = metric.higher_is_better;
    set(std::move(metric));
  }

  template <MetricFunction F>
  Metric(std::string metric_name, F function, Better better = Better::lower)
      : name(std::move(metric_name)), higher_is_better(better == Better::higher) {
    set(std::move(function));
  }

  /// `predictions` [N, ...] as the head gives them, `targets` [N, ...], `sample_weights` [N] >= 0
  /// (undefined: all one). Rows of weight 0 are left out first.
  /// Error: weights that do not fit, and weights that differ for a function that takes none.
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor()) const;

  std::string name;
  bool higher_is_better = false;

 private:
  template <class F>
  void set(F function) {
    takes_weights_ =
        std::is_invocable_r_v<double, const F&, const Tensor&, const Tensor&, const Tensor&>;
    compute_ = [function = std::move(function)](const Tensor& p, const Tensor& t,
                                                const Tensor& w) -> double {
      if constexpr (std::is_invocable_r_v<double, const F&, const Tensor&, const Tensor&,
                                          const Tensor&>)
        return function(p, t, w);
      else
        return function(p, t);
    };
  }

  bool takes_weights_ = false;
  std::function<double(const Tensor&, const Tensor&, const Tensor&)> compute_;
};

}  // namespace mtl
