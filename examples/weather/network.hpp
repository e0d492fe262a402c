#pragma once

#include <nlohmann/json.hpp>

#include "doubt.hpp"
#include "encoding.hpp"

namespace weather {

/// A recipe's model, its encoding a part of it.
struct Network {
  Encoding encoding = nullptr;
  mtl::HardSharing model = nullptr;
  std::optional<Doubt> doubt = {};

  Network() = default;
  /// `class_weights` [classes], undefined: none. Of the tasks temp, rh and weather, or of these.
  explicit Network(Encoding given, const Tensor& class_weights = {},
                   const std::vector<std::string>& tasks = {});

  /// A safetensors file of weights and encoding, with recipe, classes and doubt as metadata.
  void save(const std::filesystem::path& path) const;
  /// Error: another program wrote the file, or it is damaged.
  static Network load(const std::filesystem::path& path);
};

/// The day after the last one, from the last 14 days: temp [1] in degrees Celsius, rh [1] in per
/// cent, weather [1, classes] as probabilities. Error: not all of the 14 are there.
NamedTensors forecast(Network& network, const Days& days);

/// Of all days that 14 days without a gap come before, but the last one.
Forecasts forecasts(Network& network, const Days& days);

struct TrainSettings {
  std::string combiner = "sum";        // what mtl::make_combiner takes
  std::string class_weights = "none";  // or inverse-frequency, for the weather's cross-entropy
  int64_t seed = 0;
  int64_t epochs = 0;                 // 0: the recipe's own, article 100 at most, mtl 15
  int64_t batch_size = 0;             // 0: the recipe's own, article 32, mtl 64
  std::string precision = "float32";  // or bfloat16
  int64_t checkpoint_steps = 0;  // a checkpoint after so many steps as well; 0: after epochs only
  bool resume = false, progress = true;
  std::vector<std::string> tasks = {};  // empty: all three
  mtl::Processes* processes = nullptr;  // that train together; null: this one alone
};

struct Trained {
  Network network = {};
  mtl::TrainingRun run = {};
  int64_t best_epoch = 0;  // whose weights the model has, from 1
  double seconds_per_epoch = 0;
  mtl::Predictions validation = {};  // in units, class scores and class indices
  mtl::CombinerLog log = {};         // the tasks' gradients every so many steps
  mtl::io::Json doubt = {};          // what Doubt::judge says; null: nothing
};

/// Trains by the recipe (docs/weather.md), with combiner.csv and the checkpoints in `folder`.
Trained train(Recipe recipe, const TrainSettings& settings, const std::filesystem::path& folder,
              const Parts& parts);

/// Gives the network its doubt, learnt from the validation days; and judges on the second half of
/// these what is learnt from the first.
void learn_doubt(Trained& trained, const Parts& parts);

}  // namespace weather
