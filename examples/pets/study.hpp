#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/evaluate/evaluate.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/train/trainer.hpp"

namespace pets {

/// L = L_breed + ear L_ear + hair L_hair + figure L_figure. The defaults are the article's tuned
/// values; all zero is the baseline.
struct Lambdas {
  double ear = 1.7, hair = 0.48, figure = 0.25;

  static Lambdas none() { return {0, 0, 0}; }
  bool operator==(const Lambdas&) const = default;
};

/// "ear=1.7,hair=0.48,figure=0.25"; a name left out keeps its default. Error: another name, a value
/// that is no number or is negative.
Lambdas parse_lambdas(std::string_view text);
std::string text_of(const Lambdas& lambdas);

/// Pictures as the model reads them, row by row.
struct PetTensors {
  mtl::Tensor inputs;        ///< [N, features], or pictures [N, 3, side, side]
  mtl::Tensor breeds;        ///< [N] int64
  mtl::NamedTensors traits;  ///< "ear" [N, 4], "hair" [N, 4], "figure" [N, 3]; NaN: unknown

  int64_t size() const { return breeds.size(0); }
  PetTensors rows(const mtl::Tensor& indices) const;
};
PetTensors joined(const PetTensors& first, const PetTensors& second);

struct Parts {
  PetTensors train, validation, test;
};

/// How to learn. Features [N, F] get a hidden layer as their shared encoder, pictures a plain CNN.
struct Recipe {
  int64_t breeds = 37;
  int64_t epochs = 40, batch_size = 64;
  double learning_rate = 1e-3, weight_decay = 1e-2;
  double label_smoothing = 0.2;         ///< of the breeds
  double dropout = 0.5;                 ///< of the representation
  std::vector<int64_t> widths = {512};  ///< of the hidden layers, or of the CNN's stages
  bool augment = false;                 ///< mirror and shift pictures while training
  /// The validation pictures judge a model that never saw them; the model that is kept and tested
  /// learns from them, too.
  bool refit = true;
};

struct Scores {
  double accuracy = 0, top5 = 0;  ///< of the breed
  std::array<double, 3> bce{};    ///< of ear, hair and figure; NaN without labels
  mtl::Tensor predicted;          ///< [N] int64
  mtl::NamedTensors predictions;  ///< logits by task
};

struct Trained {
  mtl::HardSharing model{nullptr};
  mtl::TrainingRun run;  ///< of the model that the validation pictures judge
  Scores validation, test;
};

/// The shared encoder, the main head "breed" and, unless `main_only`, the heads "ear", "hair",
/// "figure". Reads the input "picture". Encoder and main head draw their first weights before the
/// others do.
mtl::HardSharing make_model(const Recipe& recipe, const mtl::Tensor& inputs,
                            const mtl::Tensor& class_weights, bool main_only = false);

struct RunOptions {
  std::filesystem::path checkpoint = {};  ///< written here after every epoch, unless empty
  bool progress = false;   ///< a progress bar on a terminal, a line an epoch elsewhere
  bool main_only = false;  ///< without the auxiliary heads
};

/// One run: the same recipe, lambdas and seed give the same bits.
Trained train(const Parts& parts, const Recipe& recipe, const Lambdas& lambdas, uint64_t seed,
              const RunOptions& options = {});

Scores judge(mtl::Model& model, const PetTensors& pictures);

/// Test accuracy of `lambdas` minus that of the baseline: over seeds where there are several, else
/// over the test pictures of the one seed.
struct Comparison {
  mtl::evaluate::PairedDifference difference;
  double signed_rank_p = 1;  ///< Wilcoxon's test of the same pairs
  std::string over;          ///< "seeds" or "pictures"
};
Comparison compare(const std::vector<Trained>& with, const std::vector<Trained>& without,
                   const std::vector<mtl::Tensor>& true_breeds);

struct Trial {
  Lambdas lambdas;
  double accuracy = 0, loss = 0;  ///< of the breed, on the validation pictures
};
/// Tries the given lambdas, the baseline and `count` random ones in [0, 2]; the best on the
/// validation pictures stands first (the most accurate, among equals the one with the lowest loss).
std::vector<Trial> tune(const Parts& parts, const Recipe& recipe, const Lambdas& given,
                        int64_t count, uint64_t seed);

/// Can the model learn one batch by heart? If not, something is wrong before any training.
struct Overfit {
  double first_loss = 0, last_loss = 0;  ///< of the breed
  bool reached_zero = false;
  std::vector<std::string> suspicions;  ///< what looks wrong
};
Overfit overfit_one_batch(const PetTensors& train, Recipe recipe, const Lambdas& lambdas,
                          uint64_t seed);

}  // namespace pets
