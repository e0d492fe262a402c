#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "mtl/core/tensor.hpp"
#include "mtl/train/callbacks/schedule.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// A callback is a plain struct with the hooks it cares about; there is no base class. In the order
/// they run:
///
///     before_fit(TrainState&)      a checkpoint is loaded here, before anybody looks at the state
///     on_fit_begin(TrainState&)
///     on_epoch_begin(TrainState&)
///     on_step_begin(TrainState&)   before the batch is read
///     on_gradients(TrainState&)    `.grad` is filled and clipped, the optimizer has not stepped
///     on_step_end(TrainState&)
///     on_epoch_end(TrainState&)    the epoch stands in the history
///     after_epoch(TrainState&)     every callback's on_epoch_end has run: a checkpoint is written
///     here on_fit_end(TrainState&)
///
/// Within a hook, callbacks run in the order they were given. A callback with a memory adds
/// `NamedTensors state_dict() const` and `void load_state_dict(const NamedTensors&)`, so that a
/// resumed run has it. A learning-rate schedule (callbacks/schedule.hpp) is a callback, too. One
/// given as an lvalue is used in place and can be looked at afterwards.
class Callback {
 public:
  template <class C>
  requires(!std::same_as<std::decay_t<C>, Callback>) Callback(C&& callback) {
    using Type = std::remove_cvref_t<C>;
    if constexpr (Schedule<Type>)
      bind(std::make_shared<ScheduleCallback<Type>>(Type(std::forward<C>(callback))));
    else if constexpr (std::is_lvalue_reference_v<C>)
      bind(std::shared_ptr<Type>(std::shared_ptr<void>(), &callback));  // the caller's own
    else
      bind(std::make_shared<Type>(std::forward<C>(callback)));
  }

  std::function<void(TrainState&)> before_fit, on_fit_begin, on_epoch_begin, on_step_begin,
      on_gradients, on_step_end, on_epoch_end, after_epoch, on_fit_end;
  std::function<NamedTensors()> state_dict;
  std::function<void(const NamedTensors&)> load_state_dict;

 private:
  template <class Type>
  void bind(std::shared_ptr<Type> kept) {
    if constexpr (requires(Type & c, TrainState & s) { c.before_fit(s); })
      before_fit = [kept](TrainState& s) { kept->before_fit(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.on_fit_begin(s); })
      on_fit_begin = [kept](TrainState& s) { kept->on_fit_begin(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.on_epoch_begin(s); })
      on_epoch_begin = [kept](TrainState& s) { kept->on_epoch_begin(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.on_step_begin(s); })
      on_step_begin = [kept](TrainState& s) { kept->on_step_begin(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.on_gradients(s); })
      on_gradients = [kept](TrainState& s) { kept->on_gradients(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.on_step_end(s); })
      on_step_end = [kept](TrainState& s) { kept->on_step_end(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.on_epoch_end(s); })
      on_epoch_end = [kept](TrainState& s) { kept->on_epoch_end(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.after_epoch(s); })
      after_epoch = [kept](TrainState& s) { kept->after_epoch(s); };
    if constexpr (requires(Type & c, TrainState & s) { c.on_fit_end(s); })
      on_fit_end = [kept](TrainState& s) { kept->on_fit_end(s); };
    if constexpr (requires(Type & c, const NamedTensors& t) { c.load_state_dict(t); }) {
      state_dict = [kept] { return kept->state_dict(); };
      load_state_dict = [kept](const NamedTensors& values) { kept->load_state_dict(values); };
    }
    static_assert(
        requires(Type & c, TrainState & s) { c.before_fit(s); } ||
            requires(Type & c, TrainState & s) { c.on_fit_begin(s); } ||
            requires(Type & c, TrainState & s) { c.on_epoch_begin(s); } ||
            requires(Type & c, TrainState & s) { c.on_step_begin(s); } ||
            requires(Type & c, TrainState & s) { c.on_gradients(s); } ||
            requires(Type & c, TrainState & s) { c.on_step_end(s); } ||
            requires(Type & c, TrainState & s) { c.on_epoch_end(s); } ||
            requires(Type & c, TrainState & s) { c.after_epoch(s); } ||
            requires(Type & c, TrainState & s) { c.on_fit_end(s); },
        "a callback needs at least one of the hooks listed in mtl/train/callback.hpp");
  }
};

}  // namespace mtl
