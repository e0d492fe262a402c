#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/data/table_encoder.hpp"
#include "mtl/data/target_columns.hpp"
#include "mtl/sharing/ensemble.hpp"
#include "mtl/train/training_run.hpp"

namespace mtl {

/// A table to learn from: its columns as what they hold, and what is to be predicted, in units.
struct TableData {
  std::vector<TableColumn> inputs = {};
  std::vector<TargetColumn> tasks = {};
  NamedTensors targets = NamedTensors();  ///< by column (read_targets)
  Tensor weights = {};                    ///< [rows] how much each counts; undefined: all one

  int64_t rows() const { return targets.begin()->value().size(0); }

  /// The columns of `tasks` ("price:regression", ...) from all others but those of `ignored` and of
  /// `weight` (empty: none). Error: as parse_target_columns, read_targets and read_weights; no
  /// column is left.
  static TableData read(const Table& table, const std::vector<std::string>& tasks,
                        const std::vector<std::string>& ignored = {},
                        const std::string& weight = {});
};

/// What suits one table and not another: networks of two layers.
struct TableRecipe {
  std::string name = "own";
  int64_t width = 128;         ///< of both layers
  double dropout = 0.1;        ///< more for few rows
  double weight_decay = 0.01;  ///< of AdamW
  int64_t bins = 0;            ///< of the piecewise linear encoding of numbers; 0: none
};

/// "plain", "careful" (more dropout and decay), "exact" (none), "steps" (numbers in 12 bins, too).
const std::vector<TableRecipe>& table_recipes();
/// One of these, or "fine" (wider, no dropout, numbers in 32 bins, too), which takes longest and is
/// for many rows whose targets follow almost exactly. Error: there is none of that name; the text
/// lists them.
const TableRecipe& table_recipe(std::string_view name);
/// Those of these names; all where none is named. Error: as table_recipe.
std::vector<TableRecipe> table_recipes(const std::vector<std::string>& names);

struct TableLearning {
  std::string combiner = "sum";  ///< as make_combiner takes it
  uint64_t seed = 0;
  int64_t epochs = 200;  ///< at most; the rate falls along half a cosine
  int64_t networks = 5;  ///< that are averaged
  std::vector<TableRecipe> recipes = table_recipes();  ///< to choose from
  bool stop_on_interrupt = false;                      ///< Ctrl-C ends it with an Interrupted

  /// Error: a combiner that is none, or does not go with these tasks; no recipe, network or epoch.
  void check(const std::vector<TargetColumn>& tasks) const;
};

/// Learning from a table was stopped by Ctrl-C.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// What turns rows of a table into predictions in units: an encoding of its columns, and networks.
///
///     auto data = TableData::read(Table::read("houses.csv"), {"price:regression", "sold:binary"});
///     TableModel model = learn_table(data, training_rows).model;
///     model.predict(model.encoder.read(Table::read("new.csv")))["price"];
///     save_bundle(model.networks, "houses", table_notes(model.encoder, model.tasks));
struct TableModel {
  TableEncoder encoder;
  std::vector<TargetColumn> tasks;
  TableRecipe recipe;
  int64_t epochs = 0;  ///< that they were trained for
  Ensemble networks = nullptr;

  /// By task: [rows] float64 in units, or probabilities [rows, classes].
  NamedTensors predict(const std::vector<TableColumn>& inputs);
};

/// How a recipe did on rows that its networks had not seen, at its best epoch.
struct TriedTableRecipe {
  TableRecipe recipe;
  double loss = 0;
  int64_t epoch = 0;
  TrainingRun run = {};  ///< of its first network
};

struct LearntTable {
  TableModel model;
  std::vector<TriedTableRecipe> tried;  ///< best first
};

/// Learns from these rows alone (int64 [n]). Each recipe is trained on four fifths of them and
/// looked at on the fifth, epoch by epoch: of all five fifths where rows are few (below 300), of
/// two (below 3,000) or of one. The best recipe, stopped at the epoch that was best, trains the
/// networks on all rows. Rows without any label and those of weight 0 are left out. Losses are
/// squared errors of standardised numbers, and cross-entropies.
/// Error: as TableLearning::check; fewer than two rows, a target without a label among them.
LearntTable learn_table(const TableData& data, const Tensor& rows,
                        const TableLearning& options = {});

/// One network of a given recipe on these rows, stopped by the rows of `valid`.
TableModel learn_table(const TableData& data, const Tensor& rows, const Tensor& valid,
                       const TableRecipe& recipe, const TableLearning& options = {});

}  // namespace mtl
