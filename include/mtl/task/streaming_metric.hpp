#pragma once

#include <concepts>
#include <type_traits>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// A metric that sees a data set batch after batch and keeps no rows, only what it needs to know of
/// them, its State:
///     struct State {                           of no rows when it is made
///       void merge(const State& other)         as if the other's rows came behind its own
///     }
///     void add(State&, predictions, targets, sample_weights) const   or State::add(the last three)
///     double value(const State&) const                               of no rows: NaN
///
/// Batches are as a MetricFunction gets them. How rows fall into batches makes no difference but by
/// rounding. A metric that has a `std::string group`, the name of a target, is handed that target
/// as a fifth argument of add: rows of one number there belong together (a user, a query). It is
/// undefined where `group` is empty.
template <class M>
concept StreamingMetric = requires(const M& metric, typename M::State& state,
                                   const typename M::State& other) {
  requires std::default_initializable<typename M::State>;
  state.merge(other);
  { metric.value(other) } -> std::convertible_to<double>;
};

namespace task_detail {

template <class M>
concept GroupedMetric = requires(const M& metric) {
  metric.group;
};

template <StreamingMetric M>
void add_batch(const M& metric, typename M::State& state, const Tensor& predictions,
               const Tensor& targets, const Tensor& sample_weights, const Tensor& groups) {
  if constexpr (GroupedMetric<M>)
    metric.add(state, predictions, targets, sample_weights, groups);
  else if constexpr (requires { metric.add(state, predictions, targets, sample_weights); })
    metric.add(state, predictions, targets, sample_weights);
  else
    state.add(predictions, targets, sample_weights);
}

/// The value of a whole data set in one batch.
template <StreamingMetric M>
double at_once(const M& metric, const Tensor& predictions, const Tensor& targets,
               const Tensor& sample_weights, const Tensor& groups = Tensor()) {
  typename M::State state;
  add_batch(metric, state, predictions, targets, sample_weights, groups);
  return metric.value(state);
}

}  // namespace task_detail
}  // namespace mtl
