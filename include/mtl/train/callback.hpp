#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/train/checkpoint.hpp"
#include "mtl/train/schedules/schedule.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// A callback is a plain struct with the hooks it cares about; there is no base class. In the order
/// they run:
///
///     on_fit_begin(TrainState&)    a checkpoint to resume from has been loaded
///     on_epoch_begin(TrainState&)  again where a run resumes within the epoch, as it was then;
///                                  afterwards whatever has a memory gets it back
///     on_step_begin(TrainState&)   before the batch is read
///     on_gradients(TrainState&)    `.grad` is filled and clipped, the optimizer has not stepped
///     on_step_end(TrainState&)
///     on_steps_end(TrainState&)    the epoch's last step is done; then comes the validation
///     on_epoch_end(TrainState&)    the epoch stands in the history; then the checkpoint is written
///     on_fit_end(TrainState&)      whatever ended the fit, an exception as well
///
/// Within a hook, callbacks run in the order they were given. What else a callback may have:
///
///     void check_options() const                 Error: an option is wrong; asked as it joins
///     NamedTensors state_dict() const            what it remembers: goes into checkpoints, so that
///     void load_state_dict(const NamedTensors&)  a resumed run has it
///     std::vector<std::string> identity(const TrainState&) const
///         options without which its memory means something else; a run is resumed only where they
///         are the same, as far as both have any
///
///     static constexpr bool only_writes = true
///         it changes nothing but files and what people see: of several processes its hooks run in
///         the first alone
///
/// An object may serve several fits: unless `state.resumed`, on_fit_begin forgets what the object
/// remembers of the last one. A learning-rate schedule (schedules/schedule.hpp) is a callback, too.
/// One given as an lvalue is used in place and can be looked at afterwards.
class Callback {
 public:
  template <class C>
  requires(!std::same_as<std::decay_t<C>, Callback>) Callback(C&& callback) {
    using Type = std::remove_cvref_t<C>;
    std::shared_ptr<Type> kept;
    if constexpr (std::is_lvalue_reference_v<C> && !std::is_const_v<std::remove_reference_t<C>>)
      kept = std::shared_ptr<Type>(std::shared_ptr<void>(), &callback);  // the caller's own
    else
      kept = std::make_shared<Type>(std::forward<C>(callback));
    name = type_name(typeid(Type));
    if constexpr (requires(const Type& c) { c.check_options(); }) kept->check_options();
    bind(kept);
    if constexpr (std::same_as<Type, Checkpointing>) {
      checkpointing = *kept;
    } else if constexpr (Schedule<Type>) {
      bind(std::make_shared<ScheduleCallback<Type>>(kept));
    } else {
      static_assert(has_hook<Type>,
                    "a callback needs at least one of the hooks listed in mtl/train/callback.hpp");
    }
  }

  using Hook = std::function<void(TrainState&)>;

  /// "mtl::EarlyStopping"
  static std::string type_name(const std::type_info& type);

  std::string name;  // of its type
  Hook on_fit_begin, on_epoch_begin, on_step_begin, on_gradients, on_step_end, on_steps_end,
      on_epoch_end, on_fit_end;
  std::optional<Checkpointing> checkpointing;  // not a callback but an option of the fit
  std::function<NamedTensors()> state_dict;
  std::function<void(const NamedTensors&)> load_state_dict;
  std::function<std::vector<std::string>(const TrainState&)> identity;

 private:
  // clang-format off
  template <class Type>
  static constexpr bool has_hook =
      requires(Type& c, TrainState& s) { c.on_fit_begin(s); } ||
      requires(Type& c, TrainState& s) { c.on_epoch_begin(s); } ||
      requires(Type& c, TrainState& s) { c.on_step_begin(s); } ||
      requires(Type& c, TrainState& s) { c.on_gradients(s); } ||
      requires(Type& c, TrainState& s) { c.on_step_end(s); } ||
      requires(Type& c, TrainState& s) { c.on_steps_end(s); } ||
      requires(Type& c, TrainState& s) { c.on_epoch_end(s); } ||
      requires(Type& c, TrainState& s) { c.on_fit_end(s); };
  // clang-format on

  template <class Type>
  void bind(const std::shared_ptr<Type>& kept) {
    if constexpr (requires(Type & c, TrainState & s) { c.on_fit_begin(s); })
      add<Type>(on_fit_begin, [kept](TrainState& s) { kept->on_fit_begin(s); });
    if constexpr (requires(Type & c, TrainState & s) { c.on_epoch_begin(s); })
      add<Type>(on_epoch_begin, [kept](TrainState& s) { kept->on_epoch_begin(s); });
    if constexpr (requires(Type & c, TrainState & s) { c.on_step_begin(s); })
      add<Type>(on_step_begin, [kept](TrainState& s) { kept->on_step_begin(s); });
    if constexpr (requires(Type & c, TrainState & s) { c.on_gradients(s); })
      add<Type>(on_gradients, [kept](TrainState& s) { kept->on_gradients(s); });
    if constexpr (requires(Type & c, TrainState & s) { c.on_step_end(s); })
      add<Type>(on_step_end, [kept](TrainState& s) { kept->on_step_end(s); });
    if constexpr (requires(Type & c, TrainState & s) { c.on_steps_end(s); })
      add<Type>(on_steps_end, [kept](TrainState& s) { kept->on_steps_end(s); });
    if constexpr (requires(Type & c, TrainState & s) { c.on_epoch_end(s); })
      add<Type>(on_epoch_end, [kept](TrainState& s) { kept->on_epoch_end(s); });
    if constexpr (requires(Type & c, TrainState & s) { c.on_fit_end(s); })
      add<Type>(on_fit_end, [kept](TrainState& s) { kept->on_fit_end(s); });
    if constexpr (requires(Type & c, const NamedTensors& t) { c.load_state_dict(t); }) {
      state_dict = [kept] { return kept->state_dict(); };
      load_state_dict = [kept](const NamedTensors& values) { kept->load_state_dict(values); };
    }
    if constexpr (requires(const Type& c, const TrainState& s) { c.identity(s); })
      identity = [kept, before = std::move(identity)](const TrainState& s) {
        std::vector<std::string> all = before ? before(s) : std::vector<std::string>();
        for (std::string& text : kept->identity(s)) all.push_back(std::move(text));
        return all;
      };
  }

  // A schedule's own hooks run before the ones that ask for its rate.
  template <class Type>
  static void add(Hook& hook, Hook more) {
    if constexpr (requires { requires Type::only_writes; })
      more = [write = std::move(more)](TrainState& s) {
        if (s.writes) write(s);
      };
    if (!hook)
      hook = std::move(more);
    else
      hook = [first = std::move(hook), then = std::move(more)](TrainState& s) {
        first(s);
        then(s);
      };
  }
};

}  // namespace mtl
