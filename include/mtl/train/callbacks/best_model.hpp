#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// Keeps the weights of the best epoch, and puts them back when the run ends. Where several watch
/// different things, one at most has `reload`.
struct BestModel {
  /// Also written here as safetensors whenever there is a new best; empty: nowhere.
  std::filesystem::path file = {};
  bool reload = true;
  Watch watch = {};

  /// Error: another one puts weights back, too; weights of a type that the file cannot hold.
  void on_fit_begin(TrainState& state) {
    watch.check(state, "BestModel");
    if (reload && state.will_choose_weights)
      throw Error(
          "BestModel: there are two that put weights back at the end, of which the last would win; "
          "give all but one `.reload = false`");
    state.will_choose_weights = state.will_choose_weights || reload;
    if (!state.resumed) {
      best = {};
      weights.clear();
    }
    if (file.empty() || !state.writes) return;
    io::check_safetensors(file, nn::weights(state.model));
    io::make_folder_of(file);
    lock = std::make_shared<io::FileLock>(file.string() + ".lock");
  }

  void on_epoch_end(TrainState& state) {
    EpochScore score = watch.score(state.history.epochs.back());
    if (!is_better(score, best)) return;
    best = std::move(score);
    weights = nn::cloned(nn::weights(state.model));
    if (file.empty() || !state.writes) return;
    io::write_safetensors(file, weights, {{"epoch", std::to_string(state.epoch)}});
  }

  void on_fit_end(TrainState& state) {
    lock.reset();
    if (!reload || weights.is_empty()) return;
    nn::load_weights(state.model, weights);
    state.has_chosen_weights = true;
  }

  NamedTensors state_dict() const {
    NamedTensors state;
    put_score(state, best);
    insert_under(state, weight_prefix, weights);
    return state;
  }
  void load_state_dict(const NamedTensors& state) {
    best = score_from(state);
    weights = under(state, weight_prefix);
  }
  std::vector<std::string> identity(const TrainState& /*state*/) const {
    return {"watches " + watch.text()};
  }

  EpochScore best = {};
  NamedTensors weights = NamedTensors();
  std::shared_ptr<io::FileLock> lock = {};  // while a fit lasts

 private:
  static constexpr std::string_view weight_prefix = "weights.";
};

}  // namespace mtl
