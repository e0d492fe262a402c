#pragma once

#include <cmath>
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
  inline void on_epoch_end(TrainState& state);
  void on_fit_end(TrainState& /*state*/) { writer.reset(); }

  std::shared_ptr<io::TensorBoardWriter> writer = {};  // opened with the first epoch

 private:
  void add_known(const std::string& tag, double value, int64_t epoch) const {
    if (!std::isnan(value)) writer->add_scalar(tag, value, epoch);
  }
};

inline void TensorBoard::on_epoch_end(TrainState& state) {
  if (!writer) writer = std::make_shared<io::TensorBoardWriter>(directory);
  const History& history = state.history;
  const EpochRecord& record = history.epochs.back();
  add_known("learning_rate", record.learning_rate, record.epoch);
  for (size_t g = 1; g < record.group_rates.size(); ++g)
    writer->add_scalar("learning_rate/" + std::to_string(g), record.group_rates[g], record.epoch);
  for (const auto* split : {&record.train, &record.valid}) {
    if (split->losses.empty()) continue;  // no validation
    const std::string name = split == &record.train ? "train" : "valid";
    add_known("total/" + name, split->total, record.epoch);
    for (size_t t = 0; t < split->losses.size(); ++t) {
      add_known(history.tasks[t] + "/loss/" + name, split->losses[t], record.epoch);
      for (size_t m = 0; t < split->metrics.size() && m < split->metrics[t].size(); ++m)
        add_known(history.tasks[t] + "/" + history.metrics[t][m] + "/" + name, split->metrics[t][m],
                  record.epoch);
    }
  }
  if (histograms_every > 0 && record.epoch % histograms_every == 0)
    for (const auto& parameter : state.model.named_parameters()) {
      writer->add_histogram("weights/" + parameter.key(), parameter.value(), record.epoch);
      if (const Tensor& gradient = parameter.value().grad(); gradient.defined())
        writer->add_histogram("gradients/" + parameter.key(),
                              gradient.is_sparse() ? gradient.coalesce().values() : gradient,
                              record.epoch);
    }
  for (const Picture& picture : pictures)
    if (const std::string png = picture.png(state); !png.empty())
      writer->add_picture(picture.name, png, record.epoch);
  writer->flush();
}

}  // namespace mtl
