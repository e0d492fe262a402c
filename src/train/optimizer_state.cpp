#include "mtl/train/optimizer_state.hpp"

#include <torch/optim/adagrad.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/rmsprop.h>
#include <torch/optim/sgd.h>

#include <fmt/format.h>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/torch_version.hpp"
#include "mtl/train/learning_rates.hpp"

namespace mtl {
namespace {

/// Calls visit("name", getter reference) for each quantity of a parameter's state.
template <class State, class Visit>
void visit_quantities(State& state, Visit visit) {
  using Bare = std::remove_const_t<State>;
  if constexpr (requires { state.step(); }) visit("step", state.step());
  if constexpr (requires { state.exp_avg(); }) {
    visit("exp_avg", state.exp_avg());
    visit("exp_avg_sq", state.exp_avg_sq());
    visit("max_exp_avg_sq", state.max_exp_avg_sq());
  }
  if constexpr (requires { state.momentum_buffer(); })
    visit("momentum_buffer", state.momentum_buffer());
  if constexpr (std::same_as<Bare, torch::optim::RMSpropParamState>) {
    visit("square_avg", state.square_avg());
    visit("grad_avg", state.grad_avg());
  }
  if constexpr (std::same_as<Bare, torch::optim::AdagradParamState>) visit("sum", state.sum());
}

/// Calls `act` with a null pointer of the state type that goes with the optimizer.
template <class Act>
void with_state_type(torch::optim::Optimizer& optimizer, Act act) {
  if (dynamic_cast<torch::optim::Adam*>(&optimizer))
    return act(static_cast<torch::optim::AdamParamState*>(nullptr));
  if (dynamic_cast<torch::optim::AdamW*>(&optimizer))
    return act(static_cast<torch::optim::AdamWParamState*>(nullptr));
  if (dynamic_cast<torch::optim::SGD*>(&optimizer))
    return act(static_cast<torch::optim::SGDParamState*>(nullptr));
  if (dynamic_cast<torch::optim::RMSprop*>(&optimizer))
    return act(static_cast<torch::optim::RMSpropParamState*>(nullptr));
  if (dynamic_cast<torch::optim::Adagrad*>(&optimizer))
    return act(static_cast<torch::optim::AdagradParamState*>(nullptr));
  throw Error(
      "checkpoint: the state of this optimizer is not known; known: SGD, Adam, AdamW, RMSprop, "
      "Adagrad");
}

constexpr const char* rates_name = "learning_rates";

/// Whether a parameter that has a state at all has this quantity, whatever the options are.
bool is_needed(std::string_view quantity) {
  return quantity == "exp_avg" || quantity == "exp_avg_sq" || quantity == "square_avg" ||
         quantity == "sum";
}

/// Adagrad has to know something of each parameter before its first step.
void begin_state(torch::optim::Optimizer& optimizer, const Tensor& parameter) {
  if (dynamic_cast<torch::optim::Adagrad*>(&optimizer) == nullptr) return;
  const torch::NoGradGuard no_grad;
  const auto& options = static_cast<const torch::optim::AdagradOptions&>(optimizer.defaults());
  auto state = std::make_unique<torch::optim::AdagradParamState>();
  state->step(0);
  state->sum(torch::full_like(parameter, options.initial_accumulator_value()));
  optimizer.state()[optimizer_key(parameter)] = std::move(state);
}

}  // namespace

NamedTensors optimizer_state(torch::optim::Optimizer& optimizer) {
  NamedTensors state;
  const auto& groups = optimizer.param_groups();
  state.insert(rates_name, torch::tensor(learning_rates(optimizer), torch::kDouble));
  with_state_type(optimizer, [&](auto* type) {
    using State = std::remove_pointer_t<decltype(type)>;
    for (size_t g = 0; g < groups.size(); ++g)
      for (size_t p = 0; p < groups[g].params().size(); ++p) {
        const auto found = optimizer.state().find(optimizer_key(groups[g].params()[p]));
        if (found == optimizer.state().end()) continue;  // this parameter has had no gradient yet
        visit_quantities(
            static_cast<const State&>(*found->second), [&](const char* name, const auto& value) {
              const std::string key = fmt::format("{}.{}.{}", g, p, name);
              if constexpr (std::same_as<std::remove_cvref_t<decltype(value)>, int64_t>)
                state.insert(key, torch::tensor({value}, torch::kLong));
              else if (value.defined())
                state.insert(key, value.detach());
            });
      }
  });
  return state;
}

void load_optimizer_state(torch::optim::Optimizer& optimizer, const NamedTensors& state) {
  auto& groups = optimizer.param_groups();
  const Tensor* rates = state.find(rates_name);
  if (rates == nullptr || rates->numel() != static_cast<int64_t>(groups.size()))
    throw Error(
        "optimizer state: found {} parameter groups, the optimizer has {}; it is another "
        "optimizer's",
        rates == nullptr ? 0 : rates->numel(), groups.size());
  size_t used = 1;
  // All of it is looked at before any of it is put back.
  std::vector<std::unique_ptr<torch::optim::OptimizerParamState>> states;
  with_state_type(optimizer, [&](auto* type) {
    using State = std::remove_pointer_t<decltype(type)>;
    for (size_t g = 0; g < groups.size(); ++g) {
      for (size_t p = 0; p < groups[g].params().size(); ++p) {
        const Tensor& parameter = groups[g].params()[p];
        auto fresh = std::make_unique<State>();
        bool any = false;
        std::string missing;
        visit_quantities(std::as_const(*fresh), [&](const char* name, const auto& slot) {
          const Tensor* value = state.find(fmt::format("{}.{}.{}", g, p, name));
          if (value == nullptr) {
            if (is_needed(name)) missing = name;
            return;
          }
          any = true;
          ++used;
          // The getters of torch's states are const only for reading; the object itself is ours and
          // not const.
          if constexpr (std::same_as<std::remove_cvref_t<decltype(slot)>, int64_t>) {
            const_cast<int64_t&>(slot) = value->template item<int64_t>();
          } else {
            if (value->sizes() != parameter.sizes())
              throw Error(
                  "optimizer state: {} of parameter {} in group {} has shape {}, the parameter {}",
                  name, p, g, shape_text(*value), shape_text(parameter));
            if (value->is_floating_point() != parameter.is_floating_point())
              throw Error(
                  "optimizer state: {} of parameter {} in group {} is of type {}, the "
                  "parameter of {}",
                  name, p, g, c10::toString(value->scalar_type()),
                  c10::toString(parameter.scalar_type()));
            const_cast<Tensor&>(slot) = value->to(parameter.device()).clone();
          }
        });
        if (any && !missing.empty())
          throw Error("optimizer state: {} of parameter {} in group {} is missing", missing, p, g);
        states.push_back(any ? std::move(fresh) : nullptr);
      }
    }
  });
  if (used != state.size())
    throw Error(
        "optimizer state: {} of {} entries have no place in this optimizer; it is another "
        "optimizer's",
        state.size() - used, state.size());

  auto next = states.begin();
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].options().set_lr(rates->data_ptr<double>()[g]);
    for (const Tensor& parameter : groups[g].params()) {
      if (*next) {
        optimizer.state()[optimizer_key(parameter)] = std::move(*next);
      } else {
        optimizer.state().erase(optimizer_key(parameter));
        begin_state(optimizer, parameter);
      }
      ++next;
    }
  }
}

}  // namespace mtl
