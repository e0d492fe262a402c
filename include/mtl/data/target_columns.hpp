#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/batch.hpp"
#include "mtl/data/table.hpp"

namespace mtl {

/// What is to be told of a column: a number, one of two values, or one of several.
enum class TargetType { regression, binary, classes };

/// A column of a table that is to be predicted.
///
///     auto targets = parse_target_columns({"price:regression", "kind:classes"});
///     NamedTensors truth = read_targets(table, targets);                  // learns the classes
///     NamedTensors scaled = scaled_targets(targets, truth, training_rows);
struct TargetColumn {
  std::string name;
  TargetType type = TargetType::regression;
  std::vector<std::string> classes = {};  ///< in order; of a regression none
  double mean = 0, scale = 1;             ///< of a regression: value = scale * output + mean

  /// Outputs of a head that tells it: 1, or one a class.
  int64_t outputs() const { return classes.empty() ? 1 : std::ssize(classes); }
};

/// Columns and their types as people write them, "price:regression", "sold:binary", "kind:classes".
/// Error: another type, one column twice.
std::vector<TargetColumn> parse_target_columns(const std::vector<std::string>& texts);

/// The targets in the table's own units, by column: [rows] float64 (NaN: missing), or class indices
/// [rows] int64 (missing, or unknown: -100). A column without classes gets those of the table.
/// Error: no such column; a cell that is no number, or a third value of a binary one, with its
/// line; fewer than two values or classes, more than a thousand classes.
NamedTensors read_targets(const Table& table, std::vector<TargetColumn>& columns);

/// What a network learns: numbers standardised by means and scales that are learnt here from
/// `rows`, [all rows, 1] float32; class indices as they are.
/// Error: a column without a target, no such row, no value among those to learn from.
NamedTensors scaled_targets(std::vector<TargetColumn>& columns, const NamedTensors& targets,
                            const Tensor& rows);

/// How much each row counts, by a column: [rows] float32. Error: no such column; a cell that is not
/// a number of at least 0, or beyond a float32, with its line.
Tensor read_weights(const Table& table, const std::string& column);

}  // namespace mtl
