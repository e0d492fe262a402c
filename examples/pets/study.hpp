#pragma once

#include "files/traits.hpp"

namespace pets {

inline const std::vector<std::string> task_names = {"breed", "ear", "hair", "figure"};

/// Weights of the losses of ear, hair and figure; that of the breed is 1.
using Lambdas = std::vector<double>;
inline const Lambdas tuned_lambdas = {1.7, 0.48, 0.25};  ///< the article's
inline const Lambdas no_lambdas = {0, 0, 0};             ///< the baseline

/// "ear=1.7,hair=0.48,figure=0.25"; a name left out keeps its tuned value.
Lambdas parse_lambdas(const std::string& text);
std::string text_of(const Lambdas& lambdas);

/// How to learn. Features [N, F] get a hidden layer as their shared encoder, pictures a plain CNN.
struct Recipe {
  int64_t breeds = 37, epochs = 40, batch_size = 64;
  double learning_rate = 1e-3, weight_decay = 1e-2;
  double label_smoothing = 0.2, dropout = 0.5;  ///< of the breeds; of the representation
  std::vector<int64_t> widths = {512};          ///< of the hidden layers, or of the CNN's stages
  bool augment = false;                         ///< mirror and shift pictures while training
  int64_t folds = 5;  ///< parts of the pictures that judge, each once; 1: a part never learnt from
};

/// The shared encoder and the heads: the main one, "breed", and "ear", "hair", "figure"; or those
/// of `tasks` alone. Encoder and main head draw their first weights before the others do.
mtl::HardSharing make_model(const Recipe& recipe, torch::IntArrayRef input_shape,
                            const mtl::Tensor& class_weights = {},
                            const std::vector<std::string>& tasks = task_names);

/// Pictures split for one seed: the input "picture", the targets "breed" [N] and, NaN where
/// unknown, "ear" [N, 4], "hair" [N, 4], "figure" [N, 3].
struct Sample {
  mtl::TensorDataset learn, test;
  /// Rows of `learn`. The model that is kept learns from all of `learn`; where there is one fold
  /// only, from the rows that it trains with.
  std::vector<mtl::Fold> folds;
  std::function<std::string(int64_t)> test_name;     ///< of a test picture
  std::function<mtl::Tensor(int64_t)> test_picture;  ///< uint8 [3, H, W], for showing
};

/// One training. The same recipe, lambdas and seed give the same bits, resumed or not.
struct Plan {
  Recipe recipe = {};
  Lambdas lambdas = tuned_lambdas;
  uint64_t seed = 1;
  mtl::Checkpointing checkpoint = {};
  bool progress = false;
  std::vector<std::string> tasks = task_names;  ///< of the model
  std::string combiner = {};  ///< empty: the breed's weight is 1, the others' the lambdas
  mtl::Arithmetic arithmetic = mtl::Arithmetic::float32;
  std::filesystem::path log = {};  ///< CSV file of the CombinerLog; empty: none

  Plan below(const std::string& name) const;  ///< with a checkpoint in a folder of this one's
};

struct Trained {
  mtl::HardSharing model{nullptr};
  mtl::TrainingRun run;          ///< of the model that the first fold judges, as the next one
  mtl::CombinerLog log;          ///< how the tasks' gradients lay to each other
  mtl::Predictions judged = {};  ///< of the folds, one after the other, each by a model without it
  mtl::Predictions found = {};   ///< of `model`, for the test pictures
};
Trained train(const Sample& sample, const Plan& plan);

/// Whether the breed is among the five likeliest, or all where there are fewer.
inline mtl::TopK top_5(int64_t breeds) {
  return {.k = std::min<int64_t>(5, breeds), .name = "top_5"};
}

/// What a metric says of each run's answers, `&Trained::judged` or `&Trained::found`.
std::vector<double> each(const std::vector<Trained>& runs, mtl::Predictions Trained::*answers,
                         const mtl::Metric& metric = mtl::Accuracy{},
                         const std::string& task = "breed");

/// How many new pictures should be recognised where every breed is as frequent: the mean over the
/// breeds of what the folds say, mean of the runs, with Wilson's interval for so many pictures.
struct Estimate {
  double accuracy = 0;
  mtl::evaluate::Interval ci95;
};
Estimate estimate(const std::vector<Trained>& runs);

/// Test accuracy with the auxiliary tasks minus that of the baseline: over seeds where there are
/// several, else over the test pictures of the one seed.
struct Comparison {
  mtl::evaluate::PairedDifference difference;
  double signed_rank_p = 1;  ///< Wilcoxon's test of the same pairs
  std::string over;          ///< "seeds" or "pictures"
};
Comparison compare(const std::vector<Trained>& with, const std::vector<Trained>& without);

struct Search {
  Lambdas best;         ///< by a Gaussian process: the most accurate are lucky ones
  double expected = 0;  ///< the accuracy of the breed that it expects of them
  std::vector<mtl::evaluate::TuningTrial> trials;  ///< the most accurate first
};
/// Tries the plan's lambdas, the baseline and `count` more in [0, 2], where the process expects the
/// largest gain. Goes on from `log`, a table of the trials.
Search tune(const Sample& sample, const Plan& plan, int64_t count,
            const std::filesystem::path& log);

/// Can the model learn one batch by heart? If not, something is wrong before any training.
struct Overfit {
  double first_loss = 0, last_loss = 0;  ///< of the breed
  bool reached_zero = false;
  std::vector<std::string> suspicions;  ///< what looks wrong
};
Overfit overfit_one_batch(const mtl::TensorDataset& train, Plan plan);

}  // namespace pets
