#include "table/learner.hpp"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace table {
namespace {

constexpr double learning_rate = 2e-3;
constexpr int64_t patience = 40;
// Some labels are wrong: without it the networks are too sure of themselves long before a number
// is learnt as well as it can be, and the best epoch of both together comes too early.
constexpr double smoothing = 0.1;

/// The tables of one encoding and scaling, for networks that learn from some of their rows.
struct Encoded {
  mtl::TableEncoder encoder;
  std::vector<ColumnTask> tasks;
  mtl::TensorDataset all;

  Encoded(const Data& data, const Tensor& rows, int64_t bins)
      : encoder(data.inputs, rows, {.bins = bins}),
        tasks(data.tasks),
        all({{"row", encoder.encode(data.inputs)}}, scale_targets(tasks, data.targets, rows),
            data.weights) {}
};

/// Steps enough in an epoch for few rows, few enough for many.
int64_t batch_size(int64_t rows) {
  int64_t size = 16;
  while (size < 256 && size * 32 < rows) size *= 2;
  return size;
}

mtl::HardSharing make_model(const std::vector<ColumnTask>& tasks, const Recipe& recipe,
                            int64_t inputs) {
  mtl::TaskRegistry registry;
  for (const ColumnTask& task : tasks)
    registry.add({.name = task.column,
                  .head = mtl::nn::LinearHead(recipe.width, task.outputs()),
                  .loss = task.classes.empty()
                              ? mtl::Loss(mtl::MeanSquaredError{})
                              : mtl::Loss(mtl::CrossEntropy{.label_smoothing = smoothing})});
  return {mtl::nn::MlpEncoder({.input_size = inputs,
                               .hidden_sizes = {recipe.width, recipe.width},
                               .activation = mtl::nn::Activation::silu,
                               .dropout = recipe.dropout}),
          registry};
}

/// Trains for `epochs` of a schedule of `options.epochs`; with `valid` until nothing gets better.
Network train(const Encoded& encoded, const Recipe& recipe, const LearnOptions& options,
              uint64_t seed, int64_t epochs, const Tensor& rows, const Tensor& valid) {
  torch::manual_seed(seed);
  Network network{make_model(encoded.tasks, recipe, encoded.encoder.size())};
  torch::optim::AdamW optimizer(
      network.model->parameters(),
      torch::optim::AdamWOptions(learning_rate).weight_decay(recipe.weight_decay));
  mtl::Trainer trainer(network.model, optimizer,
                       mtl::make_combiner(options.combiner, network.model->tasks()),
                       {.epochs = epochs, .max_grad_norm = 1.0});
  mtl::BatchLoader loader(encoded.all.rows(rows),
                          {.batch_size = batch_size(rows.size(0)), .shuffle = true, .seed = seed});
  std::vector<mtl::Callback> callbacks = {mtl::CosineLr{.t_max = options.epochs},
                                          mtl::StopOnInterrupt{}};
  if (valid.defined()) {
    callbacks.emplace_back(mtl::EarlyStopping{.patience = patience});
    callbacks.emplace_back(mtl::BestModel{});
    mtl::BatchLoader unseen(encoded.all.rows(valid), {.batch_size = 1024});
    network.run = trainer.fit(loader, unseen, callbacks);
  } else {
    network.run = trainer.fit(loader, callbacks);
  }
  if (network.run.stop_reason == mtl::StopReason::interrupted) throw Interrupted();
  return network;
}

/// The mean loss by epoch of several runs, as far as all of them went.
std::vector<double> mean_losses(const std::vector<mtl::TrainingRun>& runs) {
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

std::vector<Tensor> folds(int64_t rows, int64_t count, uint64_t seed) {
  return mtl::random_parts(rows, std::vector<double>(static_cast<size_t>(count), 1.0 / count),
                           seed);
}

Tensor all_but(const std::vector<Tensor>& parts, size_t left_out) {
  std::vector<Tensor> kept;
  for (size_t i = 0; i < parts.size(); ++i)
    if (i != left_out) kept.push_back(parts[i]);
  return torch::cat(kept);
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = {
      {.name = "plain", .width = 128, .dropout = 0.1, .weight_decay = 0.01},
      {.name = "careful", .width = 128, .dropout = 0.4, .weight_decay = 0.1},
      {.name = "exact", .width = 192, .dropout = 0, .weight_decay = 0.001},
      {.name = "steps", .width = 192, .dropout = 0.1, .weight_decay = 0.01, .bins = 12}};
  return all;
}

const Recipe& recipe_named(std::string_view name) {
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes()) {
    if (recipe.name == name) return recipe;
    names.push_back(recipe.name);
  }
  throw mtl::Error("there is no recipe \"{}\"; there are: {}", name,
                   fmt::format("{}", fmt::join(names, ", ")));
}

void check(const LearnOptions& options, const std::vector<ColumnTask>& tasks) {
  for (const std::string& name : options.recipes) recipe_named(name);
  mtl::make_combiner(options.combiner, make_model(tasks, recipes().front(), 1)->tasks());
}

Learnt learn(const Data& data, const Tensor& rows, const LearnOptions& options) {
  std::vector<Recipe> to_try = options.recipes.empty() ? recipes() : std::vector<Recipe>();
  for (const std::string& name : options.recipes) to_try.push_back(recipe_named(name));
  const int64_t count = rows.size(0);
  const int64_t parts = std::min<int64_t>(count, 5);
  const size_t looks = count < 300 ? 5 : count < 3000 ? 2 : 1;  // how many parts are looked at
  const std::vector<Tensor> inner = folds(count, parts, mtl::mix_seed(options.seed, 1));
  std::vector<Tried> tried;
  for (const Recipe& recipe : to_try) {
    const Encoded encoded(data, rows, recipe.bins);
    std::vector<mtl::TrainingRun> runs;
    for (size_t part = 0; part < std::min(looks, inner.size()); ++part)
      runs.push_back(train(encoded, recipe, options, mtl::mix_seed(options.seed, 2 + part),
                           options.epochs, rows.index_select(0, all_but(inner, part)),
                           rows.index_select(0, inner[part]))
                         .run);
    const std::vector<double> losses = mean_losses(runs);
    const auto best = std::min_element(losses.begin(), losses.end());
    tried.push_back({recipe, *best, best - losses.begin() + 1, runs.front()});
  }
  std::stable_sort(tried.begin(), tried.end(),
                   [](const Tried& a, const Tried& b) { return a.loss < b.loss; });
  const Recipe& chosen = tried.front().recipe;
  const Encoded encoded(data, rows, chosen.bins);
  Model model{encoded.encoder, encoded.tasks, chosen, tried.front().epoch};
  for (int64_t member = 0; member < options.members; ++member)
    model.networks.push_back(train(encoded, chosen, options,
                                   mtl::mix_seed(options.seed, 100 + static_cast<uint64_t>(member)),
                                   model.epochs, rows, {}));
  return {std::move(model), std::move(tried)};
}

Model learn_one(const Data& data, const Tensor& rows, const Tensor& valid, const Recipe& recipe,
                const LearnOptions& options) {
  const Encoded encoded(data, rows, recipe.bins);
  Model model{encoded.encoder, encoded.tasks, recipe, options.epochs};
  model.networks.push_back(
      train(encoded, recipe, options, options.seed, options.epochs, rows, valid));
  return model;
}

NamedTensors Model::predict(const std::vector<mtl::TableColumn>& inputs) {
  const torch::NoGradGuard no_grad;
  const Tensor rows = encoder.encode(inputs);
  NamedTensors sums;
  for (Network& network : networks) {
    network.model->eval();
    const NamedTensors outputs = network.model->forward({{"row", rows}});
    for (const ColumnTask& task : tasks) {
      const Tensor output = outputs[task.column].to(torch::kFloat64);
      const Tensor answer =
          task.classes.empty() ? output.squeeze(1) * task.scale + task.mean : output.softmax(1);
      if (sums.contains(task.column))
        sums[task.column] += answer;
      else
        sums.insert(task.column, answer);
    }
  }
  for (auto& sum : sums) sum.value() /= static_cast<double>(networks.size());
  return sums;
}

void Model::save(const std::filesystem::path& file) const {
  NamedTensors weights;
  for (size_t i = 0; i < networks.size(); ++i)
    for (const auto& item : mtl::nn::weights(*networks[i].model))
      weights.insert(fmt::format("network{}.{}", i, item.key()), item.value());
  mtl::io::write_safetensors(file, weights,
                             {{"example", "table"},
                              {"model", mtl::io::json_text({{"columns", encoder.json()},
                                                            {"tasks", to_json(tasks)},
                                                            {"recipe", recipe.name},
                                                            {"epochs", epochs},
                                                            {"networks", networks.size()}},
                                                           -1)}});
}

Model Model::load(const std::filesystem::path& file) {
  mtl::io::Metadata metadata;
  const NamedTensors weights = mtl::io::read_safetensors(file, &metadata);
  const std::string name = file.string();
  if (metadata["example"] != "table")
    throw mtl::Error("{} is not a model of this program. Train one first", name);
  const Json json = mtl::io::parse_json(metadata["model"], name);
  using mtl::io::json_member;
  Model model{mtl::TableEncoder::from_json(json.at("columns"), name),
              tasks_from_json(json.at("tasks"), name),
              recipe_named(json_member<std::string>(json, "recipe", name)),
              json_member<int64_t>(json, "epochs", name)};
  for (int64_t i = 0; i < json_member<int64_t>(json, "networks", name); ++i) {
    Network& network = model.networks.emplace_back(
        Network{make_model(model.tasks, model.recipe, model.encoder.size())});
    const std::string prefix = fmt::format("network{}.", i);
    NamedTensors own;
    for (const auto& item : weights)
      if (item.key().starts_with(prefix))
        own.insert(item.key().substr(prefix.size()), item.value());
    mtl::nn::load_weights(*network.model, own);
  }
  return model;
}

}  // namespace table
