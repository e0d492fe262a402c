#include "mtl/train/callbacks/best_model.hpp"

#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"

namespace mtl {
namespace {

constexpr const char* weight_prefix = "weights.";

}  // namespace

void BestModel::on_epoch_end(TrainState& state) {
  const EpochRecord& record = state.history.epochs.back();
  const double value = watch ? watch(record) : watched_loss(record);
  if (!(value < best)) return;
  best = value;
  weights = nn::cloned(nn::weights(state.model));
  if (file.empty()) return;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  io::write_safetensors(file, weights, {{"epoch", std::to_string(state.epoch)}});
}

void BestModel::on_fit_end(TrainState& state) {
  if (reload && !weights.is_empty()) nn::load_weights(state.model, weights);
}

NamedTensors BestModel::state_dict() const {
  NamedTensors state;
  state.insert("best", torch::tensor({best}, torch::kDouble));
  for (const auto& item : weights) state.insert(weight_prefix + item.key(), item.value());
  return state;
}

void BestModel::load_state_dict(const NamedTensors& state) {
  best = state["best"].item<double>();
  weights.clear();
  for (const auto& item : state)
    if (item.key().starts_with(weight_prefix))
      weights.insert(item.key().substr(std::string(weight_prefix).size()), item.value());
}

}  // namespace mtl
