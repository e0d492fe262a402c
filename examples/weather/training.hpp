#pragma once

#include <filesystem>
#include <string>

#include "encoding.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/train/trainer.hpp"
#include "outcome.hpp"

namespace weather {

struct TrainSettings {
  Recipe recipe = Recipe::mtl;
  std::string combiner = "sum";    // what mtl::make_combiner takes
  bool inverse_frequency = false;  // class weights of the weather's cross-entropy
  uint64_t seed = 0;
  int64_t epochs = 0;               // 0: the recipe's own, article 100 at most, mtl 15
  std::filesystem::path directory;  // holds checkpoint/ while training
  bool resume = false;
};

/// The recipe's network and tasks.
///
/// article: LSTM of 256 units in 3 layers with dropout .3, read at the last day; three linear
/// heads; squared errors and
///   cross-entropy.
/// mtl: 4 GRUs of 64 units that answer together; Huber losses (absolute errors, but smooth below
/// .3) and cross-entropy.
///
/// `class_weights` [classes], undefined: none.
mtl::HardSharing make_model(const Encoding& encoding, const mtl::Tensor& class_weights = {});

struct Trained {
  Encoding encoding;
  mtl::HardSharing model = nullptr;
  mtl::TrainingRun run = {};
  int64_t best_epoch = 0;  // whose weights the model has, from 1
  double seconds_per_epoch = 0;
  bool interrupted = false;
  Outcome outcome = {};  // of the validation part
};

/// Trains by the recipe.
///
/// article: Adam 1e-3, batches of 32, gradient norm at most 1, a tenth of the rate every 5 epochs,
///   stop after 10 epochs in a row that were worse than the best, whose weights are put back.
/// mtl: AdamW 3e-3 with weight decay 0.01 in one cycle, batches of 64, 15 epochs, the last epoch's
///   weights: the validation part has no say.
Trained train(const TrainSettings& settings, const Parts& parts);

}  // namespace weather
