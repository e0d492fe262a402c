#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {

/// Keeps for each task the weights of its own best epoch, the whole model's, as
/// "<task>.safetensors" in a folder. Several tasks rarely have their best in the same epoch;
/// BestModel keeps one for all.
///
///     trainer.fit(train, valid, mtl::BestByTask{.folder = "run/best"});
///     mtl::load(model, "run/best/rain.safetensors");
struct BestByTask {
  std::filesystem::path folder = {};
  /// What judges the tasks, and which: {{"weather", "accuracy"}, {"rain"}}. Empty: the validation
  /// loss of every task.
  std::vector<Watch> tasks = {};

  void check_options() const {
    if (folder.empty()) throw Error("BestByTask: found no folder, expected one to write to");
  }

  /// Error: as watches_by_task(); two tasks whose files would be one; weights of a type that a file
  /// cannot hold; the run is resumed and a file that it wrote is gone.
  void on_fit_begin(TrainState& state) {
    watches = watches_by_task(tasks, state, "BestByTask");
    for (size_t w = 0; w < watches.size(); ++w)
      for (size_t before = 0; before < w; ++before)
        if (file_of(watches[before]) == file_of(watches[w]))
          throw Error(
              "BestByTask: the weights of tasks \"{}\" and \"{}\" would be one file, \"{}\"; give "
              "one of them another name",
              watches[before].task(), watches[w].task(), file_of(watches[w]).string());
    if (!state.resumed) best.clear();
    best.resize(watches.size());
    if (!state.writes) return;
    io::check_safetensors(folder, nn::weights(state.model));
    io::make_folder(folder);
    lock = std::make_shared<io::FileLock>(folder / "best_by_task.lock");
    for (size_t w = 0; w < watches.size(); ++w)
      if (best[w].value == best[w].value && !std::filesystem::exists(file_of(watches[w])))
        throw Error("BestByTask: \"{}\", which the resumed run wrote, is gone; put it back",
                    file_of(watches[w]).string());
  }

  void on_epoch_end(TrainState& state) {
    for (size_t w = 0; w < watches.size(); ++w) {
      EpochScore score = watches[w].score(state.history.epochs.back());
      if (!is_better(score, best[w])) continue;
      best[w] = std::move(score);
      if (!state.writes) continue;
      io::write_safetensors(file_of(watches[w]), nn::weights(state.model),
                            {{"epoch", std::to_string(state.epoch)}});
    }
  }

  void on_fit_end(TrainState& /*state*/) { lock.reset(); }

  /// The values alone: the weights are in the files.
  NamedTensors state_dict() const {
    NamedTensors state;
    for (size_t w = 0; w < best.size(); ++w)
      state.insert(std::to_string(w), torch::tensor({best[w].value}, torch::kDouble));
    return state;
  }
  void load_state_dict(const NamedTensors& state) {
    best.assign(state.size(), {});
    for (size_t w = 0; w < best.size(); ++w)
      best[w].value = state[std::to_string(w)].item<double>();
  }
  std::vector<std::string> identity(const TrainState& state) const {
    return {"watches " + text_of(watches_by_task(tasks, state, "BestByTask"))};
  }

  std::vector<EpochScore> best = {};        // by watch
  std::vector<Watch> watches = {};          // of this fit
  std::shared_ptr<io::FileLock> lock = {};  // while a fit lasts

 private:
  std::filesystem::path file_of(const Watch& watch) const {
    std::string name = watch.task();
    std::replace(name.begin(), name.end(), '/', '_');
    return folder / (name + ".safetensors");
  }
};

}  // namespace mtl
