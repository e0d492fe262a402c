#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "mtl/task/streaming_metric.hpp"

namespace mtl {

/// A function of all labelled samples of a data set: `double(predictions, targets)`, or with the
/// sample weights [N] (undefined: all one) as a third argument.
template <class F>
concept MetricFunction = requires(const F& function, const Tensor& tensor) {
  requires std::is_invocable_r_v<double, const F&, const Tensor&, const Tensor&> ||
      std::is_invocable_r_v<double, const F&, const Tensor&, const Tensor&, const Tensor&>;
};

/// A MetricFunction or a StreamingMetric with a `name`. It may add `static constexpr bool
/// higher_is_better` (default: false, as for an error).
template <class F>
concept NamedMetric = (MetricFunction<F> || StreamingMetric<F>)&&requires(const F& metric) {
  { metric.name } -> std::convertible_to<std::string>;
};

/// Which of two values of a metric is the better one.
enum class Better { lower, higher };

class MetricStream;

namespace task_detail {

struct Rows;

/// What a metric knows of the rows so far, its type forgotten.
struct MetricState {
  virtual ~MetricState() = default;
  virtual void add(const Tensor& predictions, const Tensor& targets, const Tensor& weights,
                   const Tensor& groups) = 0;
  virtual void merge(const MetricState& other) = 0;  // of the same type
  virtual double value() const = 0;
};

template <StreamingMetric M>
struct StreamingState final : MetricState {
  explicit StreamingState(M metric_given) : metric(std::move(metric_given)) {}
  void add(const Tensor& predictions, const Tensor& targets, const Tensor& weights,
           const Tensor& groups) override {
    add_batch(metric, state, predictions, targets, weights, groups);
  }
  void merge(const MetricState& other) override {
    state.merge(static_cast<const StreamingState&>(other).state);
  }
  double value() const override { return metric.value(state); }

  M metric;
  typename M::State state;
};

using MetricOfRows = std::function<double(const Tensor&, const Tensor&, const Tensor&)>;

/// For a function of all rows: keeps them. `takes_weights`: or they must not differ.
std::unique_ptr<MetricState> all_rows(MetricOfRows function, bool takes_weights);

}  // namespace task_detail

/// A metric, its type forgotten.
///
///     Metric(Accuracy{})
///     Metric("gain", [](const Tensor& y, const Tensor& t) { return ...; }, Better::higher)
class Metric {
 public:
  template <NamedMetric F>
  requires(!std::same_as<F, Metric>) Metric(F metric) : name(metric.name) {
    if constexpr (requires { F::higher_is_better; }) higher_is_better = metric.higher_is_better;
    if constexpr (task_detail::GroupedMetric<F>) group = metric.group;
    takes_logits_ = requires { F::takes_logits; }
    || requires { F::State::takes_logits; };
    if constexpr (StreamingMetric<F>) {
      streams_ = true;
      begin_ = [metric = std::move(metric)]() -> std::unique_ptr<task_detail::MetricState> {
        return std::make_unique<task_detail::StreamingState<F>>(metric);
      };
    } else {
      set(std::move(metric));
    }
  }

  template <MetricFunction F>
  Metric(std::string metric_name, F function, Better better = Better::lower)
      : name(std::move(metric_name)), higher_is_better(better == Better::higher) {
    set(std::move(function));
  }

  /// `predictions` [N, ...] as the head gives them, `targets` [N, ...], `sample_weights` [N] >= 0
  /// (undefined: all one), `groups` [N] for a metric that has a group. Rows of weight 0 are left
  /// out first.
  /// Error: weights that do not fit, and weights that differ for a function that takes none.
  double operator()(const Tensor& predictions, const Tensor& targets,
                    const Tensor& sample_weights = Tensor(), const Tensor& groups = Tensor()) const;

  /// Whether it sees a data set batch after batch and keeps no rows.
  bool streams() const { return streams_; }
  /// Whether what a yes or no is told by has to be a logit to it, and not a probability.
  bool takes_logits() const { return takes_logits_; }

  std::string name;
  bool higher_is_better = false;
  std::string group = {};  ///< the target by whose numbers it groups rows; empty: it does not

 private:
  friend class MetricStream;

  template <class F>
  void set(F function) {
    constexpr bool takes_weights =
        std::is_invocable_r_v<double, const F&, const Tensor&, const Tensor&, const Tensor&>;
    task_detail::MetricOfRows of_rows = [function = std::move(function)](
                                            const Tensor& p, const Tensor& t,
                                            const Tensor& w) -> double {
      if constexpr (takes_weights)
        return function(p, t, w);
      else
        return function(p, t);
    };
    begin_ = [of_rows = std::move(of_rows)] {
      return task_detail::all_rows(of_rows, takes_weights);
    };
  }

  bool streams_ = false, takes_logits_ = false;
  std::function<std::unique_ptr<task_detail::MetricState>()> begin_;
};

/// A metric's view of a data set that comes in batches. A metric that does not stream keeps the
/// rows that it is given until it is asked.
class MetricStream {
 public:
  explicit MetricStream(const Metric& metric)
      : state_(metric.begin_()), streams_(metric.streams_) {}

  /// Takes a batch, as Metric::operator() takes the whole. Error: as there; rows are numbered over
  /// all batches.
  void add(const Tensor& predictions, const Tensor& targets,
           const Tensor& sample_weights = Tensor(), const Tensor& groups = Tensor());

  /// As if the other's batches came behind its own. `other`: of the same metric.
  /// Error: of one of another type.
  void merge(const MetricStream& other);

  /// The metric over all rows so far; NaN where there are none.
  double value() const;

 private:
  friend class TaskMetrics;
  void add_rows(const task_detail::Rows& rows, const Tensor& groups, int64_t rows_in_batch);

  std::unique_ptr<task_detail::MetricState> state_;
  bool streams_;
  int64_t rows_ = 0;             // so far, with those that do not count
  std::vector<Tensor> numbers_;  // of the rows kept, in the whole
};

}  // namespace mtl
