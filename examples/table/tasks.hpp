#pragma once

#include <mtl/mtl.hpp>

namespace table {

using mtl::NamedTensors;
using mtl::Tensor;
using mtl::io::Json;

enum class TaskType { regression, binary, classes };

/// A column to be predicted.
struct ColumnTask {
  std::string column;
  TaskType type = TaskType::regression;
  std::vector<std::string> classes = {};  // names in order; of regressions none
  double mean = 0, scale = 1;             // a regression's values are scale * output + mean

  int64_t outputs() const { return classes.empty() ? 1 : std::ssize(classes); }
};

/// What stands behind --task: price:regression, sold:binary, kind:classes.
/// Error: no such type, one column twice.
std::vector<ColumnTask> parse_tasks(const std::vector<std::string>& texts);

/// The targets in the file's own units, by column: [rows] float64 (NaN: missing), or class indices
/// [rows] int64 (-100: missing). Where a task has no classes yet, it gets those of the table.
/// Error: no such column; a cell that is no number, or a third value of a binary task, with its
/// line; fewer than two values or classes.
NamedTensors read_targets(const mtl::Table& table, std::vector<ColumnTask>& tasks);

/// Learns means and scales from the rows; float32 [rows, 1] of about the size of 1, or indices.
NamedTensors scale_targets(std::vector<ColumnTask>& tasks, const NamedTensors& targets,
                           const Tensor& rows);

Json to_json(const std::vector<ColumnTask>& tasks);
std::vector<ColumnTask> tasks_from_json(const Json& json, const std::string& file);

/// The tasks by name with the metrics that judge predictions in units and class probabilities, the
/// most telling one first.
std::vector<mtl::Task> judged(const std::vector<ColumnTask>& tasks);

}  // namespace table
