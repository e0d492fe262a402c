#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "error_text.hpp"
#include "mtl/combine/combine.hpp"
#include "mtl/core/core.hpp"
#include "mtl/data/data.hpp"
#include "mtl/io/io.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/train.hpp"
#include "some_parts.hpp"
#include "temporary_folder.hpp"

// A small run with checkpoints, of ingredients that a test varies.

/// What a small run is made of.
struct Ingredients {
  std::string optimizer = "adam";
  double lr = 0.01, weight_decay = 0;
  std::string combiner = "kendall";
  int64_t rows = 24, batch_size = 8, epochs = 4, hidden = 4;
  bool third_task = false;
  uint64_t data_seed = 1, loader_seed = 1, model_seed = 3;
  bool gaps = false;  // task "b" lacks every third label
  std::vector<mtl::Callback> callbacks = {};
};

/// A combiner of one's own with an option.
class Scaled : public mtl::LossCombiner {
 public:
  struct Options {
    double factor = 1;
    void describe(mtl::OptionVisitor& option) { option.number("factor", factor, mtl::positive); }
  };
  explicit Scaled(Options options) : options_(checked(options, "scaled")) {}
  torch::Tensor combine(const mtl::TaskLosses& losses) override {
    return options_.factor * torch::stack(losses.values).sum();
  }

 private:
  Options options_;
};

struct CheckpointedResult {
  mtl::TrainingRun run;
  torch::Tensor weights;
};

inline std::unique_ptr<torch::optim::Optimizer> made_optimizer(
    const Ingredients& from, std::vector<torch::Tensor> parameters) {
  using namespace torch::optim;
  const double lr = from.lr, decay = from.weight_decay;
  if (from.optimizer == "adam")
    return std::make_unique<Adam>(parameters, AdamOptions(lr).weight_decay(decay));
  if (from.optimizer == "adamw")
    return std::make_unique<AdamW>(parameters, AdamWOptions(lr).weight_decay(decay));
  return std::make_unique<SGD>(parameters, SGDOptions(lr).momentum(0.9).weight_decay(decay));
}

inline CheckpointedResult checkpointed(const Ingredients& from,
                                       const mtl::Checkpointing& checkpoint) {
  torch::manual_seed(from.model_seed);
  mtl::TaskRegistry tasks;
  std::vector<std::string> names{"a", "b"};
  if (from.third_task) names.push_back("c");
  for (const std::string& name : names)
    tasks.add({.name = name,
               .head = mtl::nn::LinearHead(from.hidden, 1),
               .loss = squared_error,
               .metrics = {MeanError{}}});
  mtl::HardSharing model(
      mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {from.hidden}, .dropout = 0.2}), tasks);
  auto generator = mtl::make_generator(from.data_seed);
  const auto x = torch::randn({from.rows, 3}, generator);
  const auto b = (-x.select(1, 0)).clone();
  if (from.gaps) b.slice(0, 0, from.rows, 3) = std::nan("");
  const mtl::TensorDataset data({{"x", x}}, {{"a", x.sum(1)}, {"b", b}, {"c", x.select(1, 2)}});
  mtl::BatchLoader train(
      data, {.batch_size = from.batch_size, .shuffle = true, .seed = from.loader_seed});
  mtl::BatchLoader valid(data);
  const auto optimizer = made_optimizer(from, model->parameters());
  std::unique_ptr<mtl::Combiner> combiner;
  if (from.combiner.starts_with("scaled "))
    combiner = std::make_unique<Scaled>(Scaled::Options{std::stod(from.combiner.substr(7))});
  else
    combiner = mtl::make_combiner(from.combiner, tasks);
  mtl::Trainer trainer(model, *optimizer, *combiner,
                       {.epochs = from.epochs, .checkpoint = checkpoint});
  const bool goes_on =
      checkpoint.resume && std::filesystem::exists(checkpoint.directory / "checkpoint.json");
  torch::manual_seed(goes_on ? 99 : 5);  // another process has another generator state
  CheckpointedResult result{trainer.fit(train, valid, from.callbacks), {}};
  std::vector<torch::Tensor> parts;
  for (const auto& item : mtl::nn::weights(*model)) parts.push_back(item.value().reshape(-1));
  result.weights = torch::cat(parts);
  return result;
}

inline std::string resume_error(const Ingredients& from, const std::filesystem::path& directory) {
  return error_text([&] { checkpointed(from, {.directory = directory, .resume = true}); });
}

inline std::map<std::string, std::string> contents(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    files[entry.path().filename().string()] = mtl::io::read_file(entry.path());
  return files;
}

inline std::set<std::string> names_in(const std::filesystem::path& directory) {
  std::set<std::string> names;
  for (const auto& [name, bytes] : contents(directory)) names.insert(name);
  return names;
}

/// Plainly: what a test puts there need not reach the disk.
inline void write_all(const std::filesystem::path& directory,
                      const std::map<std::string, std::string>& files) {
  for (const auto& [name, bytes] : files)
    std::ofstream(directory / name, std::ios::binary | std::ios::trunc) << bytes;
}
