#include "mtl/data/target_columns.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "mtl/core/error.hpp"
#include "mtl/data/dataset.hpp"
#include "mtl/data/label_encoder.hpp"
#include "mtl/data/scalers/standard_scaler.hpp"
#include "mtl/io/excerpt.hpp"

namespace mtl {
namespace {

constexpr std::array<std::string_view, 3> target_type_names = {"regression", "binary", "classes"};

TargetType target_type_named(std::string_view name, std::string_view task) {
  for (size_t i = 0; i < target_type_names.size(); ++i)
    if (name == target_type_names[i]) return static_cast<TargetType>(i);
  throw Error(
      "task {}: a task is COLUMN:regression (a number), COLUMN:binary (one of two values) or "
      "COLUMN:classes (one of several), found the type \"{}\"",
      task, name);
}

Tensor read_numbers(const Table& table, const std::string& column) {
  try {
    return table.numbers(column);
  } catch (const Error& error) {
    if (!table.has(column)) throw;
    std::string found = error.what();
    found.resize(std::min(found.find(". If it stands"), found.size()));
    throw Error(
        "task \"{}:regression\" needs numbers: {}. If that stands for a missing cell, list it in "
        "Table::Options::missing; if the column has classes, write {}:classes",
        column, found, column);
  }
}

/// Error: there are more than two values.
void check_two_values(const Table& table, const std::string& column,
                      const std::vector<std::string>& texts) {
  std::vector<std::string> seen;  // in the order of the file
  for (size_t row = 0; row < texts.size(); ++row) {
    if (texts[row].empty() || std::find(seen.begin(), seen.end(), texts[row]) != seen.end())
      continue;
    seen.push_back(texts[row]);
    if (seen.size() == 3)
      throw Error(
          "task \"{}:binary\": {}: \"{}\" is a third value beside \"{}\" and \"{}\". If it has "
          "several classes, write {}:classes; if it is a number, {}:regression",
          column, table.where(static_cast<int64_t>(row), column), io::excerpt(seen[2]),
          io::excerpt(seen[0]), io::excerpt(seen[1]), column, column);
  }
}

std::vector<std::string> learn_classes(const Table& table, const TargetColumn& column,
                                       const std::vector<std::string>& texts) {
  const auto found = LabelEncoder::learn(texts, LabelOrder::sorted).classes();
  if (found.size() < 2)
    throw Error("task \"{}\": its only value is \"{}\"; there is nothing to tell apart",
                column.name, io::excerpt(found.front()));
  if (column.type == TargetType::binary) check_two_values(table, column.name, texts);
  constexpr size_t most_classes = 1000;
  if (found.size() > most_classes)
    throw Error(
        "task \"{}:classes\": {} different values, such as \"{}\". If it is a number, write "
        "{}:regression",
        column.name, found.size(), io::excerpt(found.back()), column.name);
  return found;
}

}  // namespace

std::vector<TargetColumn> parse_target_columns(const std::vector<std::string>& texts) {
  std::vector<TargetColumn> columns;
  for (const std::string& text : texts) {
    const size_t colon = text.rfind(':');
    const std::string name = text.substr(0, colon);
    for (const TargetColumn& other : columns)
      if (other.name == name) throw Error("task {}: column \"{}\" is a task already", text, name);
    columns.push_back(
        {name, target_type_named(colon == std::string::npos ? "" : text.substr(colon + 1), text)});
  }
  return columns;
}

NamedTensors read_targets(const Table& table, std::vector<TargetColumn>& columns) {
  NamedTensors targets;
  for (TargetColumn& column : columns) {
    if (column.type == TargetType::regression) {
      const Tensor numbers = read_numbers(table, column.name);
      const auto labels = numbers.isnan().logical_not().sum().item<int64_t>();
      if (labels < 2)
        throw Error("task \"{}:regression\": {} of {} cells have a value", column.name, labels,
                    table.rows());
      targets.insert(column.name, numbers);
      continue;
    }
    const std::vector<std::string> texts = table.texts(column.name);
    if (column.classes.empty()) column.classes = learn_classes(table, column, texts);
    targets.insert(column.name, LabelEncoder(column.classes).encode(texts, UnknownLabel::missing));
  }
  return targets;
}

NamedTensors scaled_targets(std::vector<TargetColumn>& columns, const NamedTensors& targets,
                            const Tensor& rows) {
  NamedTensors scaled;
  for (TargetColumn& column : columns) {
    const Tensor* found = targets.find(column.name);
    if (found == nullptr || !found->defined())
      throw Error("scaled_targets: column \"{}\" has no target", column.name);
    const Tensor& target = *found;
    if (column.type == TargetType::regression) {
      const bool narrow = rows.defined() && rows.scalar_type() == torch::kInt32;
      data_detail::check_indices(narrow ? rows.to(torch::kInt64) : rows, target.size(0),
                                 "scaled_targets");
      const Tensor learnt = target.index_select(0, rows);
      if (learnt.isnan().all().item<bool>())
        throw Error("scaled_targets: none of the {} rows to learn from has a value of \"{}\"",
                    rows.size(0), column.name);
      const StandardScaler scaler(learnt.unsqueeze(1));
      column.mean = scaler.mean().item<double>();
      column.scale = scaler.scale().item<double>();
      scaled.insert(column.name, scaler.transform(target.unsqueeze(1)).to(torch::kFloat32));
    } else {
      scaled.insert(column.name, target);
    }
  }
  return scaled;
}

Tensor read_weights(const Table& table, const std::string& column) {
  using Float = std::numeric_limits<float>;
  const Tensor weights = table.numbers(column);
  const Tensor wrong = (weights >= 0).logical_not().nonzero();  // NaN as well
  if (wrong.size(0) > 0)
    throw Error("{}: a weight is a number of at least 0",
                table.where(wrong[0].item<int64_t>(), column));
  // Beyond, float32 would leave the row out, or count it infinitely often.
  const Tensor lost = ((weights > 0) & (weights < Float::min())).logical_or(weights > Float::max());
  if (const Tensor rows = lost.nonzero(); rows.size(0) > 0)
    throw Error("{}: a weight above 0 lies between {} and {}; give weights in another unit",
                table.where(rows[0].item<int64_t>(), column), Float::min(), Float::max());
  return weights.to(torch::kFloat32);
}

}  // namespace mtl
