#include "study.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "mtl/combine/losses/fixed_weights.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/data/splits/splits.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/nn/encoders/cnn_encoder.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"
#include "mtl/nn/heads/linear_head.hpp"
#include "mtl/task/class_weights.hpp"
#include "mtl/task/losses/binary_cross_entropy.hpp"
#include "mtl/task/losses/cross_entropy.hpp"
#include "mtl/task/metrics/accuracy.hpp"
#include "mtl/task/metrics/soft_bce.hpp"
#include "mtl/task/metrics/top_k.hpp"
#include "mtl/train/callbacks/progress_bar.hpp"
#include "mtl/train/checkpoint.hpp"
#include "mtl/train/predict.hpp"
#include "mtl/train/schedules/cosine_lr.hpp"
#include "traits.hpp"

namespace pets {
namespace {

using mtl::Tensor;

mtl::TensorDataset dataset_of(const PetTensors& pictures) {
  mtl::NamedTensors inputs, targets;
  inputs.insert("picture", pictures.inputs);
  targets.insert("breed", pictures.breeds);
  for (const auto& item : pictures.traits) targets.insert(item.key(), item.value());
  return mtl::TensorDataset(std::move(inputs), std::move(targets));
}

/// Batches of another loader whose pictures are mirrored one by one and moved together.
class Augmented {
 public:
  Augmented(mtl::BatchLoader loader, uint64_t seed, bool on)
      : loader_(std::move(loader)), seed_(seed), on_(on), generator_(mtl::make_generator(seed)) {}

  int64_t batches() const { return loader_.batches(); }
  int64_t samples() const { return loader_.samples(); }
  void start_epoch(int64_t epoch) {
    loader_.start_epoch(epoch);
    generator_ = mtl::make_generator(mtl::mix_seed(seed_, static_cast<uint64_t>(epoch)));
  }
  bool next(mtl::Batch& batch) {
    if (!loader_.next(batch)) return false;
    Tensor& pictures = batch.inputs["picture"];
    if (!on_ || pictures.dim() != 4) return true;
    const Tensor mirror = torch::rand({pictures.size(0), 1, 1, 1}, generator_) < 0.5;
    pictures = torch::where(mirror, pictures.flip(3), pictures);
    const int64_t most = pictures.size(3) / 12, side = pictures.size(3);
    const Tensor shift = torch::randint(0, 2 * most + 1, {2}, generator_);
    const std::vector<int64_t> border(4, most);
    pictures = torch::replication_pad2d(pictures, border)
                   .narrow(2, shift[0].item<int64_t>(), side)
                   .narrow(3, shift[1].item<int64_t>(), side);
    return true;
  }

 private:
  mtl::BatchLoader loader_;
  uint64_t seed_;
  bool on_;
  torch::Generator generator_;
};

Augmented training_loader(const PetTensors& pictures, const Recipe& recipe, uint64_t seed) {
  return {mtl::BatchLoader(dataset_of(pictures),
                           {.batch_size = recipe.batch_size, .shuffle = true, .seed = seed}),
          seed, recipe.augment};
}

mtl::Encoder make_encoder(const Recipe& recipe, const Tensor& inputs) {
  if (inputs.dim() == 4)
    return mtl::nn::CnnEncoder(
        {.input_channels = inputs.size(1), .channels = recipe.widths, .dropout = recipe.dropout});
  return mtl::nn::MlpEncoder(
      {.input_size = inputs.size(1), .hidden_sizes = recipe.widths, .dropout = recipe.dropout});
}

struct Fitted {
  mtl::HardSharing model{nullptr};
  mtl::TrainingRun run;
};

Fitted fit(const PetTensors& train, const PetTensors* validation, const Recipe& recipe,
           const Lambdas& lambdas, uint64_t seed, const RunOptions& options) {
  torch::manual_seed(seed);
  const Tensor weights = mtl::balanced(mtl::class_counts(train.breeds, recipe.breeds));
  Fitted fitted{make_model(recipe, train.inputs, weights.to(torch::kFloat), options.main_only), {}};
  // Seeded anew: how many heads drew their first weights must not change what dropout draws.
  torch::manual_seed(mtl::mix_seed(seed, 1));

  std::vector<double> task_weights{1};
  if (!options.main_only)
    task_weights.insert(task_weights.end(), {lambdas.ear, lambdas.hair, lambdas.figure});
  mtl::FixedWeights combiner(task_weights);
  torch::optim::AdamW adam(
      fitted.model->parameters(),
      torch::optim::AdamWOptions(recipe.learning_rate).weight_decay(recipe.weight_decay));
  mtl::Trainer trainer(fitted.model, adam, combiner, {.epochs = recipe.epochs});
  auto loader = training_loader(train, recipe, seed);
  const mtl::CosineLr cosine{.t_max = recipe.epochs};

  const auto with = [&](auto&& valid, auto... more) {
    if (options.progress) return trainer.fit(loader, valid, cosine, mtl::ProgressBar{}, more...);
    return trainer.fit(loader, valid, cosine, more...);
  };
  const auto run = [&](auto&& valid) {
    if (options.checkpoint.empty()) return with(valid);
    return with(valid, mtl::Checkpointing{options.checkpoint});
  };
  if (validation) {
    mtl::BatchLoader valid(dataset_of(*validation), {.batch_size = 256});
    fitted.run = run(valid);
  } else {
    fitted.run = run(mtl::NoValidation{});
  }
  fitted.model->eval();
  return fitted;
}

std::vector<double> accuracies(const std::vector<Trained>& runs) {
  std::vector<double> values;
  for (const Trained& run : runs) values.push_back(run.test.accuracy);
  return values;
}

std::vector<double> right_by_picture(const Trained& run, const Tensor& truth) {
  const Tensor right = (run.test.predicted == truth).to(torch::kDouble).contiguous();
  return {right.data_ptr<double>(), right.data_ptr<double>() + right.numel()};
}

/// The lowest loss that soft scores allow: their own entropy.
double entropy(const Tensor& scores) {
  const Tensor p = scores.clamp(1e-6, 1 - 1e-6);
  return (-(p * p.log() + (1 - p) * (1 - p).log())).nanmean().item<double>();
}

}  // namespace

Lambdas parse_lambdas(std::string_view text) {
  Lambdas lambdas;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    double* value = name == "ear"      ? &lambdas.ear
                    : name == "hair"   ? &lambdas.hair
                    : name == "figure" ? &lambdas.figure
                                       : nullptr;
    if (!value || equals == std::string_view::npos ||
        !mtl::io::parse_number(part.substr(equals + 1), *value) || *value < 0)
      throw mtl::Error(
          "--lambda: expected values of ear, hair and figure that are not negative, as in "
          "ear=1.7,hair=0.48,figure=0.25, found \"{}\".",
          part);
  }
  return lambdas;
}

std::string text_of(const Lambdas& lambdas) {
  return fmt::format("ear={:.3g},hair={:.3g},figure={:.3g}", lambdas.ear, lambdas.hair,
                     lambdas.figure);
}

PetTensors PetTensors::rows(const Tensor& indices) const {
  PetTensors part{inputs.index_select(0, indices), breeds.index_select(0, indices),
                  mtl::NamedTensors()};
  for (const auto& item : traits)
    part.traits.insert(item.key(), item.value().index_select(0, indices));
  return part;
}

PetTensors joined(const PetTensors& first, const PetTensors& second) {
  PetTensors all{torch::cat({first.inputs, second.inputs}),
                 torch::cat({first.breeds, second.breeds}), mtl::NamedTensors()};
  for (const auto& item : first.traits)
    all.traits.insert(item.key(), torch::cat({item.value(), second.traits[item.key()]}));
  return all;
}

mtl::HardSharing make_model(const Recipe& recipe, const Tensor& inputs, const Tensor& class_weights,
                            bool main_only) {
  const mtl::Encoder encoder = make_encoder(recipe, inputs);
  const int64_t width = recipe.widths.back();
  mtl::TaskRegistry tasks;
  tasks.add({.name = "breed",
             .head = mtl::nn::LinearHead(width, recipe.breeds),
             .loss = mtl::CrossEntropy{.class_weights = class_weights,
                                       .label_smoothing = recipe.label_smoothing},
             .metrics = {mtl::Accuracy{}, mtl::TopK{}}});
  for (const TraitGroup& group : trait_groups()) {
    if (main_only) break;
    tasks.add({.name = group.name,
               .head = mtl::nn::LinearHead(width, static_cast<int64_t>(group.traits.size())),
               .loss = mtl::BinaryCrossEntropy{},
               .metrics = {mtl::SoftBce{}}});
  }
  return mtl::HardSharing(encoder, tasks, "picture");
}

Trained train(const Parts& parts, const Recipe& recipe, const Lambdas& lambdas, uint64_t seed,
              const RunOptions& options) {
  auto [model, run] = fit(parts.train, &parts.validation, recipe, lambdas, seed, options);
  Trained trained{model, std::move(run), judge(*model, parts.validation), Scores()};
  if (recipe.refit)
    trained.model = fit(joined(parts.train, parts.validation), nullptr, recipe, lambdas, seed,
                        {.progress = options.progress, .main_only = options.main_only})
                        .model;
  trained.test = judge(*trained.model, parts.test);
  return trained;
}

Scores judge(mtl::Model& model, const PetTensors& pictures) {
  mtl::BatchLoader loader(dataset_of(pictures), {.batch_size = 256});
  const mtl::Predictions found = mtl::predict(model, loader);
  Scores scores;
  scores.predictions = found.predictions;
  scores.predicted = found.predictions["breed"].argmax(1);
  scores.accuracy = mtl::Accuracy{}(found.predictions["breed"], pictures.breeds);
  scores.top5 = mtl::TopK{.k = std::min<int64_t>(5, found.predictions["breed"].size(1))}(
      found.predictions["breed"], pictures.breeds);
  for (size_t group = 0; group < scores.bce.size(); ++group) {
    const std::string& name = trait_groups()[group].name;
    scores.bce[group] = found.predictions.contains(name) && pictures.traits.contains(name)
                            ? mtl::metrics_of(model.tasks().at(name), found).front()
                            : std::nan("");
  }
  return scores;
}

Comparison compare(const std::vector<Trained>& with, const std::vector<Trained>& without,
                   const std::vector<Tensor>& true_breeds) {
  const bool seeds = with.size() > 1;
  const auto first = seeds ? accuracies(with) : right_by_picture(with.at(0), true_breeds.at(0));
  const auto second =
      seeds ? accuracies(without) : right_by_picture(without.at(0), true_breeds.at(0));
  return {mtl::evaluate::paired_t_test(first, second),
          mtl::evaluate::wilcoxon_signed_rank(first, second).p_value, seeds ? "seeds" : "pictures"};
}

std::vector<Trial> tune(const Parts& parts, const Recipe& recipe, const Lambdas& given,
                        int64_t count, uint64_t seed) {
  Recipe once = recipe;
  once.refit = false;
  Parts blind{parts.train, parts.validation, parts.validation};  // the test pictures stay unseen
  std::vector<Lambdas> candidates{given, Lambdas::none()};
  std::mt19937_64 random(mtl::mix_seed(seed, 77));
  const auto draw = [&] { return 2 * static_cast<double>(random() >> 11) * 0x1.0p-53; };
  for (int64_t i = 0; i < count; ++i) {
    const double ear = draw(), hair = draw(), figure = draw();
    candidates.push_back({ear, hair, figure});
  }
  std::vector<Trial> trials;
  for (const Lambdas& lambdas : candidates) {
    const Trained trained = train(blind, once, lambdas, seed);
    trials.push_back({lambdas, trained.validation.accuracy,
                      trained.run.history.epochs.back().valid.losses.front()});
  }
  std::stable_sort(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) {
    return a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.loss < b.loss;
  });
  return trials;
}

Overfit overfit_one_batch(const PetTensors& train, Recipe recipe, const Lambdas& lambdas,
                          uint64_t seed) {
  const int64_t count = std::min<int64_t>(32, train.size());
  const PetTensors batch = train.rows(mtl::shuffled_order(train.size(), seed).narrow(0, 0, count));
  recipe.label_smoothing = recipe.dropout = recipe.weight_decay = 0;  // they forbid a loss of zero
  recipe.augment = recipe.refit = false;
  recipe.batch_size = count;
  recipe.epochs = 300;
  const auto fitted = fit(batch, nullptr, recipe, lambdas, seed, {});
  const auto& epochs = fitted.run.history.epochs;

  Overfit result;
  result.first_loss = epochs.front().train.losses.front();
  result.last_loss = epochs.back().train.losses.front();
  result.reached_zero = result.last_loss < 0.05;
  const double chance = std::log(static_cast<double>(recipe.breeds));
  if (result.first_loss > 2 * chance)
    result.suspicions.push_back(fmt::format(
        "The first loss is {:.2f} where guessing costs {:.2f}: are the pictures normalised?",
        result.first_loss, chance));
  const Tensor flat = batch.inputs.flatten(1);
  if (!flat.isfinite().all().item<bool>())
    result.suspicions.push_back("Some pictures hold values that are not finite.");
  if ((flat.std(0).max() < 1e-6).item<bool>())
    result.suspicions.push_back("All pictures of the batch are the same.");
  const Tensor same = torch::cdist(flat, flat) + torch::eye(count) * 1e9;
  const Tensor other_breed = batch.breeds.unsqueeze(0) != batch.breeds.unsqueeze(1);
  if (((same < 1e-4) & other_breed).any().item<bool>())
    result.suspicions.push_back(
        "Two equal pictures have different breeds: no model can tell them apart.");
  if (!result.reached_zero && result.last_loss > 0.9 * result.first_loss)
    result.suspicions.push_back(
        "The loss hardly falls: is the learning rate far too small or large?");
  for (size_t group = 0; group < 3; ++group) {
    const double floor = entropy(batch.traits[trait_groups()[group].name]);
    const double loss = epochs.back().train.losses[group + 1];
    const std::array<double, 3> weight = {lambdas.ear, lambdas.hair, lambdas.figure};
    if (weight[group] > 0 && loss > floor + 0.1)
      result.suspicions.push_back(
          fmt::format("The loss of {} stays at {:.2f}, {:.2f} above what its scores allow.",
                      trait_groups()[group].name, loss, loss - floor));
  }
  if (!result.reached_zero && result.suspicions.empty())
    result.suspicions.push_back("Nothing else stands out: look at labels and at the model's size.");
  return result;
}

}  // namespace pets
