#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "mtl/core/batch.hpp"
#include "mtl/core/loss_kind.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/task/module_loss.hpp"
#include "mtl/task/sample_losses.hpp"

namespace mtl {

/// A loss is any callable of (prediction [N, ...], target [N, ...]) that gives
///     Tensor [N], or SampleLosses         one value a sample, and perhaps its weight
///     Tensor [], or MeanLoss              their mean as one number
/// It is called with labelled samples of a weight above 0 only. One number is shorter to write, but
/// sample weights that differ cannot be applied to it. It may add
///     static constexpr LossKind kind      default: regression
///     Tensor or MeanLoss mean(prediction, target)   the mean over all samples in fewer operations
///     Tensor is_labelled(target)          [N] bool, where NaN and -100 are not the rule
///     Tensor marked(target)               the target with its missing labels as NaN or -100
///     void check()                        Error: an option is wrong; asked when a task gets it
///     static constexpr bool trains        false: the task is only judged (NoLoss)
///     bool yes_or_no()                    whether each output is a yes or no for itself
///     static constexpr int64_t class_dimension      of a classification's prediction; default: 1
///     static constexpr LossOutputs outputs          what it takes them for; default: plain
template <class F>
concept LossFunction = requires(const F& loss, const Tensor& tensor) {
  requires std::same_as<std::invoke_result_t<const F&, const Tensor&, const Tensor&>, Tensor> ||
      std::same_as<std::invoke_result_t<const F&, const Tensor&, const Tensor&>, SampleLosses> ||
      std::same_as<std::invoke_result_t<const F&, const Tensor&, const Tensor&>, MeanLoss>;
};

/// A loss, its type forgotten.
class Loss {
 public:
  Loss() = default;

  /// A loss module of torch's, or one of one's own.
  template <LossModule Holder>
  Loss(const Holder& holder) : Loss(ModuleLoss(holder.ptr())) {}

  /// A loss of another kind than it says or, as functions do, does not say.
  template <class F>
  requires std::constructible_from<Loss, F> Loss(F loss, LossKind kind) : Loss(std::move(loss)) {
    kind_ = kind;
  }

  template <LossFunction F>
  requires(!std::same_as<F, Loss>) Loss(F loss) {
    if constexpr (requires { F::kind; }) kind_ = F::kind;
    if constexpr (requires { F::trains; }) trains_ = F::trains;
    if constexpr (requires(const F& f) { f.check(); }) loss.check();
    if constexpr (requires(const F& f) { f.yes_or_no(); }) yes_or_no_ = loss.yes_or_no();
    if constexpr (requires { F::class_dimension; }) class_dimension_ = F::class_dimension;
    if constexpr (requires(const F& f) {
                    { f.outputs } -> std::convertible_to<LossOutputs>;
                  })
      outputs_ = loss.outputs;
    if constexpr (requires(const F& f, const Tensor& t) { f.mean(t, t); })
      mean_ = [loss](const Tensor& p, const Tensor& t) -> MeanLoss { return {loss.mean(p, t)}; };
    if constexpr (requires(const F& f, const Tensor& t) { f.is_labelled(t); })
      is_labelled_ = [loss](const Tensor& t) -> Tensor { return loss.is_labelled(t); };
    if constexpr (requires(const F& f, const Tensor& t) { f.marked(t); })
      marked_ = [loss](const Tensor& t) -> Tensor { return loss.marked(t); };
    by_sample_ = [loss = std::move(loss)](const Tensor& p, const Tensor& t) -> SampleLosses {
      return as_sample_losses(loss(p, t));
    };
  }

  /// The weighted mean over the labelled samples of a batch. `complete`: known to have no missing
  /// label. `sample_weights` [N] >= 0; undefined: all one.
  /// Error: shapes or weights that do not fit, weights that differ for a loss of one number.
  LossValue operator()(const Tensor& prediction, const Tensor& target, bool complete = false,
                       const Tensor& sample_weights = Tensor()) const;

  /// Which samples have a label: [N] bool.
  Tensor is_labelled(const Tensor& target) const {
    return is_labelled_ ? is_labelled_(target) : mtl::is_labelled(target);
  }
  /// The target in which missing labels are NaN or -100, as metrics know them.
  Tensor marked(const Tensor& target) const { return marked_ ? marked_(target) : target; }
  LossKind kind() const { return kind_; }
  /// False: its task is only judged (NoLoss).
  bool trains() const { return trains_; }
  /// Whether each output is a yes or no for itself, by what the loss is (BinaryCrossEntropy).
  bool yes_or_no() const { return yes_or_no_; }
  /// Where the classes of a classification's prediction lie: 1 as in [N, C, ...], 2 of Ctc.
  int64_t class_dimension() const { return class_dimension_; }
  LossOutputs outputs() const { return outputs_; }
  explicit operator bool() const { return static_cast<bool>(by_sample_); }

 private:
  static SampleLosses as_sample_losses(SampleLosses losses) { return losses; }
  static SampleLosses as_sample_losses(MeanLoss mean) { return {mean.value, mean.weight}; }
  static SampleLosses as_sample_losses(Tensor values) { return {std::move(values)}; }

  LossKind kind_ = LossKind::regression;
  bool trains_ = true, yes_or_no_ = false;
  int8_t class_dimension_ = 1;
  LossOutputs outputs_ = LossOutputs::plain;
  // One number instead of one value a sample is told by its having no dimension.
  std::function<SampleLosses(const Tensor&, const Tensor&)> by_sample_;
  std::function<MeanLoss(const Tensor&, const Tensor&)> mean_;
  std::function<Tensor(const Tensor&)> is_labelled_, marked_;
};

}  // namespace mtl
