#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "mtl/core/batch.hpp"
#include "mtl/core/loss_kind.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// One value a sample, and the weight with which it enters the mean.
struct SampleLosses {
  Tensor values;   // [N]
  Tensor weights;  // [N]; undefined: all one
};

/// A loss is any callable of (prediction [N, ...], target [N, ...]) that gives one value a sample:
/// Tensor [N], or SampleLosses. It is called with labelled samples only. It may add
///     static constexpr LossKind kind      (default: regression)
///     Tensor mean(prediction, target)     the mean over all samples in fewer operations
///     Tensor is_labelled(target)          [N] bool, where NaN and -100 are not the rule
///     void check()                        throws an Error when an option is wrong: called once,
///     when a task gets the loss
template <class F>
concept LossFunction = requires(const F& loss, const Tensor& prediction, const Tensor& target) {
  requires std::same_as<std::invoke_result_t<const F&, const Tensor&, const Tensor&>, Tensor> ||
      std::same_as<std::invoke_result_t<const F&, const Tensor&, const Tensor&>, SampleLosses>;
};

/// A mean loss and the number of labelled samples behind it.
struct LossValue {
  Tensor value;  // scalar; undefined when no sample is labelled
  int64_t samples = 0;
};

/// A loss, its type forgotten.
class Loss {
 public:
  Loss() = default;

  template <LossFunction F>
  requires(!std::same_as<F, Loss>) Loss(F loss) {
    if constexpr (requires { F::kind; }) kind_ = F::kind;
    if constexpr (requires(const F& f) { f.check(); }) loss.check();
    if constexpr (requires(const F& f, const Tensor& t) { f.mean(t, t); })
      mean_ = [loss](const Tensor& p, const Tensor& t) -> Tensor { return loss.mean(p, t); };
    if constexpr (requires(const F& f, const Tensor& t) { f.is_labelled(t); })
      is_labelled_ = [loss](const Tensor& t) -> Tensor { return loss.is_labelled(t); };
    by_sample_ = [loss = std::move(loss)](const Tensor& p, const Tensor& t) -> SampleLosses {
      if constexpr (std::same_as<std::invoke_result_t<const F&, const Tensor&, const Tensor&>,
                                 Tensor>)
        return {loss(p, t), {}};
      else
        return loss(p, t);
    };
  }

  /// The weighted mean over the labelled samples of a batch. `complete`: known to have no missing
  /// label.
  LossValue operator()(const Tensor& prediction, const Tensor& target, bool complete = false) const;

  /// Which samples have a label: [N] bool.
  Tensor is_labelled(const Tensor& target) const {
    return is_labelled_ ? is_labelled_(target) : mtl::is_labelled(target);
  }
  LossKind kind() const { return kind_; }
  explicit operator bool() const { return static_cast<bool>(by_sample_); }

 private:
  LossKind kind_ = LossKind::regression;
  std::function<SampleLosses(const Tensor&, const Tensor&)> by_sample_;
  std::function<Tensor(const Tensor&, const Tensor&)> mean_;
  std::function<Tensor(const Tensor&)> is_labelled_;
};

}  // namespace mtl
