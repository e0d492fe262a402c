#pragma once

#include "table/tasks.hpp"

namespace table {

/// A file as it is: inputs by column, targets in units, sample weights (undefined: all one).
struct Data {
  std::vector<mtl::TableColumn> inputs = {};
  std::vector<ColumnTask> tasks = {};
  NamedTensors targets = NamedTensors();
  Tensor weights = {};

  int64_t rows() const { return targets.begin()->value().size(0); }
};

/// What suits one table and not another; a few are tried (docs/table.md).
struct Recipe {
  std::string name;
  int64_t width = 128;
  double dropout = 0.1, weight_decay = 0.01;
  int64_t bins = 0;  // of the piecewise linear encoding of numbers
};
const std::vector<Recipe>& recipes();
/// Error: there is no recipe of that name.
const Recipe& recipe_named(std::string_view name);

struct LearnOptions {
  std::string combiner = "sum";
  uint64_t seed = 0;
  int64_t epochs = 200, members = 5;
  std::vector<std::string> recipes = {};  // to choose from; empty: all
};

/// One network: its history, and its weights after the last epoch, or the best one where it had a
/// validation part.
struct Network {
  mtl::HardSharing model = nullptr;
  mtl::TrainingRun run = {};
};

/// Several networks and what turns a table into their inputs and their outputs into units.
struct Model {
  mtl::TableEncoder encoder;
  std::vector<ColumnTask> tasks;
  Recipe recipe;
  int64_t epochs = 0;  // that they were trained for
  std::vector<Network> networks = {};

  /// By task: [rows] float64 in units, or probabilities [rows, classes]; the networks' mean.
  NamedTensors predict(const std::vector<mtl::TableColumn>& inputs);
  void save(const std::filesystem::path& file) const;
  static Model load(const std::filesystem::path& file);
};

/// What the choice was made by: a recipe's loss on rows that its networks did not see, at its best
/// epoch, and the run of its first network.
struct Tried {
  Recipe recipe;
  double loss = 0;
  int64_t epoch = 0;
  mtl::TrainingRun run = {};
};
struct Learnt {
  Model model;
  std::vector<Tried> tried;  // best first
};

/// Stopped by Ctrl-C.
struct Interrupted {};

/// Error: options that `learn` would stumble over, before anything is written.
void check(const LearnOptions& options, const std::vector<ColumnTask>& tasks);

/// Learns from these rows alone. Each recipe is trained on some parts of them and looked at on the
/// others, epoch by epoch; the best at its best epoch trains `members` networks on all of them.
Learnt learn(const Data& data, const Tensor& rows, const LearnOptions& options);

/// One network of a given recipe on these rows, stopped by the rows of `valid`.
Model learn_one(const Data& data, const Tensor& rows, const Tensor& valid, const Recipe& recipe,
                const LearnOptions& options);

}  // namespace table
