#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/tensorboard.hpp"
#include "mtl/train/train_state.hpp"

namespace mtl {

/// Writes the losses and metrics of every epoch for TensorBoard: "total/train", "total/valid",
/// "<task>/loss/train", "<task>/loss/valid", "<task>/<metric>/valid", "learning_rate", and
/// "learning_rate/<group>" of further groups. The epoch is the step; what is NaN (no label) is left
/// out. Where asked for, also "weights/<parameter>" and "gradients/<parameter>" as histograms, and
/// pictures. Every fit opens a file of its own.
struct TensorBoard {
  /// Drawn at the end of each epoch: the bytes of a PNG file, or none where there is nothing new.
  struct Picture {
    std::string name = {};
    std::function<std::string(const TrainState&)> png = {};
  };

  std::filesystem::path directory = {};  // "run/tensorboard"
  int64_t histograms_every = 0;          // epochs; 0: never, each takes a look at all weights
  std::vector<Picture> pictures = {};

  void check_options() const {
    if (directory.empty()) throw Error("TensorBoard: found no directory, expected one to write to");
    if (histograms_every < 0)
      throw Error("TensorBoard: histograms_every is {}, expected epochs, or 0 for never",
                  histograms_every);
    for (const Picture& picture : pictures)
      if (picture.name.empty() || !picture.png)
        throw Error("TensorBoard: picture \"{}\" needs a name and a function that draws it",
                    picture.name);
  }

  static constexpr bool only_writes = true;

  void on_fit_begin(TrainState& /*state*/) { writer.reset(); }
  void on_epoch_end(TrainState& state);
  void on_fit_end(TrainState& /*state*/) { writer.reset(); }

  std::shared_ptr<io::TensorBoardWriter> writer = {};  // opened with the first epoch
};

}  // namespace mtl
