#include "mtl/train/tables/table_model.hpp"

#include <torch/optim/adamw.h>

#include <algorithm>

#include "mtl/combine/make_combiner.hpp"
#include "mtl/core/random.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/data/splits/k_folds.hpp"
#include "mtl/nn/encoders/mlp_encoder.hpp"
#include "mtl/nn/heads/linear_head.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/task/losses/cross_entropy.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"
#include "mtl/train/callbacks/best_model.hpp"
#include "mtl/train/callbacks/early_stopping.hpp"
#include "mtl/train/callbacks/stop_on_interrupt.hpp"
#include "mtl/train/schedules/cosine_lr.hpp"
#include "mtl/train/trainer.hpp"

namespace mtl {
namespace {

constexpr double learning_rate = 2e-3;
constexpr int64_t patience = 40;
// Some labels are wrong: without it the networks are too sure of themselves long before a number
// is learnt as well as it can be, and the best epoch of both together comes too early.
constexpr double smoothing = 0.1;

/// The tables of one encoding and scaling, for networks that learn from some of their rows.
struct Encoded {
  TableEncoder encoder;
  std::vector<TargetColumn> tasks;
  TensorDataset all;

  Encoded(const TableData& data, const Tensor& rows, int64_t bins)
      : encoder(data.inputs, rows, {.bins = bins}),
        tasks(data.tasks),
        all({{"row", encoder.encode(data.inputs)}}, scaled_targets(tasks, data.targets, rows),
            data.weights) {}
};

std::shared_ptr<Model> make_network(const std::vector<TargetColumn>& tasks,
                                    const TableRecipe& recipe, int64_t inputs) {
  TaskRegistry registry;
  for (const auto& task : tasks)
    registry.add({.name = task.name,
                  .head = nn::LinearHead(recipe.width, task.outputs()),
                  .loss = task.classes.empty() ? Loss(MeanSquaredError{})
                                               : Loss(CrossEntropy{.label_smoothing = smoothing})});
  const nn::MlpEncoder encoder({.input_size = inputs,
                                .hidden_sizes = {recipe.width, recipe.width},
                                .activation = nn::Activation::silu,
                                .dropout = recipe.dropout});
  return HardSharing(encoder, registry).ptr();
}

struct Trained {
  std::shared_ptr<Model> network;
  TrainingRun run;
};

/// Trains for `epochs` of a schedule of `options.epochs`; with `valid` until nothing gets better.
Trained train_network(const Encoded& encoded, const TableRecipe& recipe,
                      const TableLearning& options, uint64_t seed, int64_t epochs,
                      const Tensor& rows, const Tensor& valid) {
  const KeepGenerator kept;
  torch::manual_seed(seed);
  const auto network = make_network(encoded.tasks, recipe, encoded.encoder.size());
  torch::optim::AdamW optimizer(
      network->parameters(),
      torch::optim::AdamWOptions(learning_rate).weight_decay(recipe.weight_decay));
  Trainer trainer(*network, optimizer, make_combiner(options.combiner, network->tasks()),
                  {.epochs = epochs, .max_grad_norm = 1.0});
  int64_t batch_size = 16;  // steps enough in an epoch for few rows, few enough for many
  while (batch_size < 256 && batch_size * 32 < rows.size(0)) batch_size *= 2;
  BatchLoader loader(encoded.all.rows(rows),
                     {.batch_size = batch_size, .shuffle = true, .seed = seed});
  std::vector<Callback> callbacks = {CosineLr{.t_max = options.epochs}};
  if (options.stop_on_interrupt) callbacks.emplace_back(StopOnInterrupt{});
  TrainingRun run;
  if (valid.defined()) {
    callbacks.emplace_back(EarlyStopping{.patience = patience});
    callbacks.emplace_back(BestModel{});
    BatchLoader unseen(encoded.all.rows(valid), {.batch_size = 1024});
    run = trainer.fit(loader, unseen, callbacks);
  } else {
    run = trainer.fit(loader, callbacks);
  }
  if (run.stop_reason == StopReason::interrupted)
    throw Interrupted("learning from a table was stopped");
  return {network, run};
}

/// The rows but those of weight 0 and those without any label, from which nothing is to be learnt:
/// no scale either. Error: a task has no label in them, or they are less than two.
Tensor rows_that_count(const TableData& data, const Tensor& rows) {
  data_detail::check_indices(rows, data.rows(), "learn_table");
  Tensor counts = torch::zeros({rows.size(0)}, torch::kBool);
  Tensor weighed = torch::ones_like(counts);
  if (data.weights.defined()) weighed = data.weights.index_select(0, rows).gt(0);
  for (const TargetColumn& task : data.tasks) {
    const Tensor target = data.targets[task.name].index_select(0, rows);
    const Tensor labelled = is_labelled(target).logical_and(weighed);
    if (!labelled.any().item<bool>())
      throw Error("learn_table: task \"{}\" has no label in the {} rows to learn from{}", task.name,
                  rows.size(0), data.weights.defined() ? ", or none of a weight above 0" : "");
    counts = counts.logical_or(labelled);
  }
  const Tensor found = rows.masked_select(counts);
  if (found.size(0) < 2)
    throw Error("learn_table: there is one row with a label to learn from, expected two at least");
  return found;
}

/// The mean loss by epoch of several runs, as far as all of them went.
std::vector<double> mean_losses(const std::vector<TrainingRun>& runs) {
  std::vector<double> losses;
  for (size_t epoch = 0;; ++epoch) {
    double sum = 0;
    for (const auto& run : runs) {
      if (epoch >= run.history.epochs.size()) return losses;
      sum += run.history.epochs[epoch].valid.total;
    }
    losses.push_back(sum / static_cast<double>(runs.size()));
  }
}

}  // namespace

TableData TableData::read(const Table& table, const std::vector<std::string>& tasks,
                          const std::vector<std::string>& ignored, const std::string& weight) {
  TableData data{.tasks = parse_target_columns(tasks)};
  data.targets = read_targets(table, data.tasks);
  std::vector<std::string> taken = ignored;
  for (const TargetColumn& task : data.tasks) taken.push_back(task.name);
  if (!weight.empty()) {
    taken.push_back(weight);
    data.weights = read_weights(table, weight);
  }
  const std::vector<std::string> inputs = columns_but(table, taken);
  if (inputs.empty()) throw Error("no column of the table is left to learn from");
  data.inputs = read_columns(table, inputs);
  return data;
}

const std::vector<TableRecipe>& table_recipes() {
  static const std::vector<TableRecipe> all = {
      {.name = "plain", .width = 128, .dropout = 0.1, .weight_decay = 0.01},
      {.name = "careful", .width = 128, .dropout = 0.4, .weight_decay = 0.1},
      {.name = "exact", .width = 192, .dropout = 0, .weight_decay = 0.001},
      {.name = "steps", .width = 192, .dropout = 0.1, .weight_decay = 0.01, .bins = 12}};
  return all;
}

const TableRecipe& table_recipe(std::string_view name) {
  static const std::vector<TableRecipe> all = [] {
    std::vector<TableRecipe> recipes = table_recipes();
    recipes.push_back(
        {.name = "fine", .width = 256, .dropout = 0, .weight_decay = 0.001, .bins = 32});
    return recipes;
  }();
  std::string names;
  for (const TableRecipe& recipe : all) {
    if (recipe.name == name) return recipe;
    names += (names.empty() ? "" : ", ") + recipe.name;
  }
  throw Error("there is no recipe \"{}\"; there are: {}", name, names);
}

std::vector<TableRecipe> table_recipes(const std::vector<std::string>& names) {
  if (names.empty()) return table_recipes();
  std::vector<TableRecipe> found;
  for (const std::string& name : names) found.push_back(table_recipe(name));
  return found;
}

void TableLearning::check(const std::vector<TargetColumn>& tasks) const {
  if (recipes.empty()) throw Error("learn_table: there is no recipe to try");
  if (networks < 1 || epochs < 1)
    throw Error("learn_table: {} networks of {} epochs; each must be at least 1", networks, epochs);
  const KeepGenerator kept;
  make_combiner(combiner, make_network(tasks, recipes.front(), 1)->tasks());
}

LearntTable learn_table(const TableData& data, const Tensor& given, const TableLearning& options) {
  options.check(data.tasks);
  const Tensor rows = rows_that_count(data, given);
  const int64_t count = rows.size(0);
  auto folds = k_folds(count, std::min<int64_t>(count, 5), mix_seed(options.seed, 1));
  if (count >= 300) folds.resize(count < 3000 ? 2 : 1);
  std::vector<TriedTableRecipe> tried;
  for (const TableRecipe& recipe : options.recipes) {
    const Encoded encoded(data, rows, recipe.bins);
    std::vector<TrainingRun> runs;
    for (const Fold& fold : folds)
      runs.push_back(train_network(encoded, recipe, options,
                                   mix_seed(options.seed, 2 + runs.size()), options.epochs,
                                   rows.index_select(0, fold.train),
                                   rows.index_select(0, fold.test))
                         .run);
    const std::vector<double> losses = mean_losses(runs);
    const auto best = std::min_element(losses.begin(), losses.end());
    tried.push_back({recipe, *best, best - losses.begin() + 1, runs.front()});
  }
  std::stable_sort(
      tried.begin(), tried.end(),
      [](const TriedTableRecipe& a, const TriedTableRecipe& b) { return a.loss < b.loss; });
  const auto& [chosen, loss, epochs, run] = tried.front();
  const Encoded encoded(data, rows, chosen.bins);
  std::vector<std::shared_ptr<Model>> networks;
  for (int64_t k = 0; k < options.networks; ++k) {
    const uint64_t seed = mix_seed(options.seed, 100 + static_cast<uint64_t>(k));
    networks.push_back(train_network(encoded, chosen, options, seed, epochs, rows, {}).network);
  }
  return {{encoded.encoder, encoded.tasks, chosen, epochs, Ensemble(networks)}, tried};
}

TableModel learn_table(const TableData& data, const Tensor& given, const Tensor& valid,
                       const TableRecipe& recipe, const TableLearning& options) {
  options.check(data.tasks);
  const Tensor rows = rows_that_count(data, given);
  const Encoded encoded(data, rows, recipe.bins);
  const auto one =
      train_network(encoded, recipe, options, options.seed, options.epochs, rows, valid);
  return {encoded.encoder, encoded.tasks, recipe, options.epochs, Ensemble({one.network})};
}

NamedTensors TableModel::predict(const std::vector<TableColumn>& inputs) {
  const torch::NoGradGuard no_grad;
  networks->eval();
  NamedTensors answers = networks->forward({{"row", encoder.encode(inputs)}});
  for (const TargetColumn& task : tasks) {
    Tensor& answer = answers[task.name];
    answer = answer.to(torch::kFloat64);
    answer = task.classes.empty() ? answer.squeeze(1) * task.scale + task.mean : answer.softmax(1);
  }
  return answers;
}

}  // namespace mtl
