#include "training.hpp"

#include <memory>

#include <torch/torch.h>

#include "members.hpp"
#include "mtl/combine/combine.hpp"
#include "mtl/core/error.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/nn/encoders/lstm_encoder.hpp"
#include "mtl/nn/heads/linear_head.hpp"
#include "mtl/task/class_weights.hpp"
#include "mtl/task/losses/cross_entropy.hpp"
#include "mtl/task/losses/huber.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"
#include "mtl/task/metrics/accuracy.hpp"
#include "mtl/train/train.hpp"

namespace weather {
namespace {

// The mtl recipe, chosen on the training years alone: docs/weather.md says how.
constexpr int64_t members = 4, units = 64;
constexpr double smooth_below = 0.3;  // standard deviations

constexpr int64_t article_epochs = 100, mtl_epochs = 15;

/// Mean absolute error in degrees or per cent, of targets that are standardised.
struct MaeInUnit {
  double unit = 1;
  std::string name = "mae";
  double operator()(const mtl::Tensor& predictions, const mtl::Tensor& targets) const {
    return unit * (predictions - targets).abs().mean().item<double>();
  }
};

/// Counts what this process did, so that a resumed run does not divide by the epochs before it.
struct EpochCounter {
  int64_t first = 0;
  void on_fit_begin(const mtl::TrainState& state) {
    first = static_cast<int64_t>(state.history.epochs.size());
  }
};

mtl::HardSharing article_model(const Encoding& encoding, const mtl::Tensor& class_weights) {
  constexpr int64_t hidden = 256;
  const auto classes = static_cast<int64_t>(encoding.classes().size());
  mtl::TaskRegistry tasks;
  for (const std::string name : {"temp", "rh"}) {
    tasks.add({.name = name,
               .head = mtl::nn::LinearHead(hidden, 1),
               .loss = mtl::MeanSquaredError{},
               .metrics = {MaeInUnit{encoding.unit(name)}}});
  }
  tasks.add({.name = "weather",
             .head = mtl::nn::LinearHead(hidden, classes),
             .loss = mtl::CrossEntropy{.class_weights = class_weights},
             .metrics = {mtl::Accuracy{}}});
  return mtl::HardSharing(mtl::nn::LstmEncoder({.input_size = encoding.input_size(),
                                                .hidden_size = hidden,
                                                .layers = 3,
                                                .dropout = 0.3}),
                          tasks);
}

mtl::HardSharing mtl_model(const Encoding& encoding, const mtl::Tensor& class_weights) {
  const auto classes = static_cast<int64_t>(encoding.classes().size());
  // Huber's loss is `delta` times the absolute error far out: divided by it, slopes are those of
  // the absolute error.
  const OfMembers<mtl::Huber> huber{{.delta = smooth_below}, 1 / smooth_below};
  mtl::TaskRegistry tasks;
  for (const std::string name : {"temp", "rh"}) {
    tasks.add({.name = name,
               .head = MemberHeads(members, units, 1, Answer::value),
               .loss = huber,
               .metrics = {MaeInUnit{encoding.unit(name)}}});
  }
  tasks.add({.name = "weather",
             .head = MemberHeads(members, units, classes, Answer::scores),
             .loss = OfMembers<mtl::CrossEntropy>{{.class_weights = class_weights}},
             .metrics = {mtl::Accuracy{}}});
  return mtl::HardSharing(MemberGrus(members, encoding.input_size(), units), tasks);
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(Recipe recipe, mtl::HardSharing& model) {
  if (recipe == Recipe::article) {
    return std::make_unique<torch::optim::Adam>(model->parameters(),
                                                torch::optim::AdamOptions(1e-3));
  }
  return std::make_unique<torch::optim::AdamW>(model->parameters(),
                                               torch::optim::AdamWOptions(3e-3).weight_decay(0.01));
}

Outcome outcome_of(mtl::HardSharing& model, const Encoding& encoding, const Parts& parts,
                   mtl::BatchLoader& loader) {
  const mtl::NamedTensors outputs = mtl::predict(*model, loader).predictions;
  const mtl::Tensor last = window_rows(parts.valid).last;
  Outcome outcome = truth_of(parts.valid, parts.classes);
  outcome.temp =
      encoding.in_unit("temp", outputs["temp"].squeeze(1), parts.valid.temp.index_select(0, last));
  outcome.rh =
      encoding.in_unit("rh", outputs["rh"].squeeze(1), parts.valid.rh.index_select(0, last));
  outcome.weather = outputs["weather"];
  return outcome;
}

}  // namespace

mtl::HardSharing make_model(const Encoding& encoding, const mtl::Tensor& class_weights) {
  return encoding.recipe() == Recipe::article ? article_model(encoding, class_weights)
                                              : mtl_model(encoding, class_weights);
}

Trained train(const TrainSettings& settings, const Parts& parts) {
  const bool article = settings.recipe == Recipe::article;
  Trained trained{.encoding = Encoding(settings.recipe, parts.train, parts.classes.classes())};
  const Encoding& encoding = trained.encoding;
  const auto data = [&](const Days& days) {
    return windows(days, encoding.inputs(days), encoding.targets(days));
  };

  mtl::Tensor class_weights;
  if (settings.inverse_frequency) {
    const mtl::Tensor labels = encoding.targets(parts.train)["weather"];
    class_weights =
        mtl::inverse_frequency(mtl::class_counts(labels, parts.classes.size())).to(torch::kFloat32);
  }
  torch::manual_seed(settings.seed);
  trained.model = make_model(encoding, class_weights);
  const auto optimizer = make_optimizer(settings.recipe, trained.model);
  const auto combiner = mtl::make_combiner(settings.combiner, trained.model->tasks());

  const int64_t batch = article ? 32 : 64;
  mtl::BatchLoader train_loader(data(parts.train),
                                {.batch_size = batch, .shuffle = true, .seed = settings.seed});
  mtl::BatchLoader valid_loader(data(parts.valid), {.batch_size = batch});
  const int64_t own_epochs = article ? article_epochs : mtl_epochs;
  mtl::Trainer trainer(
      trained.model, *optimizer, *combiner,
      {.epochs = settings.epochs > 0 ? settings.epochs : own_epochs, .max_grad_norm = 1.0});

  EpochCounter counter;
  mtl::Checkpointing checkpointing{.directory = settings.directory / "checkpoint",
                                   .resume = settings.resume};
  trained.run = article ? trainer.fit(train_loader, valid_loader, counter,
                                      mtl::StepLr{.step_size = 5, .gamma = 0.1},
                                      mtl::EarlyStopping{.patience = 10}, mtl::BestModel{},
                                      checkpointing, mtl::StopOnInterrupt{}, mtl::ProgressBar{})
                        : trainer.fit(train_loader, valid_loader, counter, mtl::OneCycleLr{},
                                      checkpointing, mtl::StopOnInterrupt{}, mtl::ProgressBar{});
  trained.interrupted = trained.run.stop_reason == mtl::StopReason::interrupted;
  trained.best_epoch = article ? trained.run.best_epoch : trained.run.epochs();
  const int64_t epochs = trained.run.epochs() - counter.first;
  trained.seconds_per_epoch = epochs > 0 ? trained.run.seconds / static_cast<double>(epochs) : 0;
  trained.outcome = outcome_of(trained.model, encoding, parts, valid_loader);
  return trained;
}

}  // namespace weather
