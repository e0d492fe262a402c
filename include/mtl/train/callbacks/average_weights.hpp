#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/formatted.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/train/callback.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// A moving average of the weights, in which a step counts less the longer ago it was:
///     a <- d a + (1 - d) w,      d = min(decay, (1 + n) / (10 + n))   after step n
/// The validation sees the averaged weights, and so do early stopping, schedules and the best
/// model; training goes on from the weights themselves. Running statistics are averaged like
/// weights, in float32 at least, whole numbers are copied. Give it behind BestModel, which keeps
/// what it finds at the end of an epoch.
/// Polyak and Juditsky 1992; Tarvainen and Valpola, NeurIPS 2017 (arXiv 1703.01780).
struct AverageWeights {
  double decay = 0.999;
  bool warm_up = true;  ///< false: d = decay from the first step on
  /// The run ends with the averaged weights, unless a BestModel puts back those of its epoch.
  bool keep = true;

  void check_options() const {
    if (!(decay >= 0 && decay < 1))
      throw Error("AverageWeights: found decay {}, expected a number from 0 to below 1", decay);
  }

  /// Error: a callback that keeps the best weights comes behind it; there are two of it, each of
  /// which would put back what the other left; a checkpoint's averages are of another model.
  void on_fit_begin(TrainState& state) {
    bool behind = false;
    for (const Callback& callback : state.callbacks) {
      const bool averages = callback.name == "mtl::AverageWeights";
      if (averages && behind) throw Error("AverageWeights: found two of it, expected one a run");
      behind = behind || averages;
      if (!callback.name.starts_with("mtl::Best")) continue;
      if (behind)
        throw Error(
            "AverageWeights: {} comes behind it and would keep other weights than were "
            "validated; give it before",
            callback.name);
    }
    trained.clear();
    const NamedTensors own = nn::weights(state.model);
    if (state.resumed && !average.is_empty()) {
      nn::check_weights(state.model, average);
      for (const auto& item : own)
        average[item.key()] = average[item.key()].to(type_of_mean(item.value()));
      return;
    }
    average.clear();
    for (const auto& item : own)
      average.insert(item.key(), item.value().to(type_of_mean(item.value()), false, /*copy=*/true));
    steps = 0;
  }

  void on_step_end(TrainState& state) {
    const torch::NoGradGuard no_grad;
    const double n = static_cast<double>(++steps);
    const double kept = warm_up ? std::min(decay, (1 + n) / (10 + n)) : decay;
    for (const auto& item : nn::weights(state.model)) {
      Tensor& mean = average[item.key()];
      if (mean.is_floating_point() || mean.is_complex())
        mean.lerp_(item.value().to(mean.scalar_type()), 1 - kept);
      else
        mean.copy_(item.value());
    }
  }

  void on_steps_end(TrainState& state) {
    trained = nn::cloned(nn::weights(state.model));
    nn::load_weights(state.model, average);
  }
  void on_epoch_end(TrainState& state) { put_back(state); }

  void on_fit_end(TrainState& state) {
    if (state.has_chosen_weights) return trained.clear();
    put_back(state);
    if (keep && steps > 0) nn::load_weights(state.model, average);
  }

  NamedTensors state_dict() const {
    NamedTensors state;
    state.insert("steps", torch::tensor({steps}, torch::kLong));
    insert_under(state, weight_prefix, average);
    return state;
  }
  void load_state_dict(const NamedTensors& state) {
    steps = state["steps"].item<int64_t>();
    average = nn::cloned(under(state, weight_prefix));
  }
  std::vector<std::string> identity(const TrainState& /*state*/) const {
    return {formatted("decay {}{}", decay, warm_up ? " with a warm-up" : "")};
  }

  NamedTensors average = NamedTensors();
  NamedTensors trained = NamedTensors();  // while the averaged ones are in the model
  int64_t steps = 0;

 private:
  static constexpr std::string_view weight_prefix = "weights.";

  /// Float32 at least: in bfloat16 a mean stands still when a step counts 1/256 of it.
  static at::TensorOptions type_of_mean(const Tensor& weight) {
    const auto type = weight.scalar_type();
    const bool is_short = type == at::kHalf || type == at::kBFloat16;
    return weight.options().dtype(is_short ? at::kFloat : type);
  }

  void put_back(TrainState& state) {
    if (!trained.is_empty()) nn::load_weights(state.model, trained);
    trained.clear();
  }
};

}  // namespace mtl
