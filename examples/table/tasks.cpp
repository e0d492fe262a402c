#include "table/tasks.hpp"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace table {
namespace {

constexpr std::array<std::string_view, 3> type_names = {"regression", "binary", "classes"};

TaskType type_named(std::string_view name, std::string_view task) {
  for (size_t i = 0; i < type_names.size(); ++i)
    if (name == type_names[i]) return static_cast<TaskType>(i);
  throw mtl::Error(
      "--task {}: a task is COLUMN:regression (a number), COLUMN:binary (one of two values) or "
      "COLUMN:classes (one of several), found the type \"{}\"",
      task, name);
}

Tensor read_numbers(const mtl::Table& table, const std::string& column) {
  try {
    return table.numbers(column);
  } catch (const mtl::Error& error) {
    if (!table.has(column)) throw;
    std::string found = error.what();
    found.resize(std::min(found.find(". If it stands"), found.size()));  // what C++ would write
    throw mtl::Error(
        "task \"{}:regression\" needs numbers: {}. If that stands for a missing cell, say so by "
        "--missing; if the column has classes, write {}:classes",
        column, found, column);
  }
}

void learn_classes(const mtl::Table& table, ColumnTask& task,
                   const std::vector<std::string>& texts) {
  const auto found = mtl::LabelEncoder::learn(texts, mtl::LabelOrder::sorted).classes();
  if (found.size() < 2)
    throw mtl::Error("task \"{}\": its only value is \"{}\"; there is nothing to tell apart",
                     task.column, found.front());
  if (task.type == TaskType::binary && found.size() > 2) {
    std::vector<std::string> seen;  // in the order of the file
    for (size_t row = 0; row < texts.size(); ++row) {
      if (texts[row].empty() || std::find(seen.begin(), seen.end(), texts[row]) != seen.end())
        continue;
      seen.push_back(texts[row]);
      if (seen.size() == 3)
        throw mtl::Error(
            "task \"{}:binary\": {}: \"{}\" is a third value beside \"{}\" and \"{}\". If it "
            "has several classes, write {}:classes; if it is a number, {}:regression",
            task.column, table.where(static_cast<int64_t>(row), task.column),
            mtl::io::excerpt(seen[2]), mtl::io::excerpt(seen[0]), mtl::io::excerpt(seen[1]),
            task.column, task.column);
    }
  }
  constexpr size_t most_classes = 1000;
  if (found.size() > most_classes)
    throw mtl::Error(
        "task \"{}:classes\": {} different values, such as \"{}\". If it is a number, write "
        "{}:regression",
        task.column, found.size(), mtl::io::excerpt(found.back()), task.column);
  task.classes = found;
}

}  // namespace

std::vector<ColumnTask> parse_tasks(const std::vector<std::string>& texts) {
  std::vector<ColumnTask> tasks;
  for (const std::string& text : texts) {
    const size_t colon = text.rfind(':');
    const std::string column = text.substr(0, colon);
    for (const ColumnTask& other : tasks)
      if (other.column == column)
        throw mtl::Error("--task {}: column \"{}\" is a task already", text, column);
    tasks.push_back(
        {column, type_named(colon == std::string::npos ? "" : text.substr(colon + 1), text)});
  }
  return tasks;
}

NamedTensors read_targets(const mtl::Table& table, std::vector<ColumnTask>& tasks) {
  NamedTensors targets;
  for (ColumnTask& task : tasks) {
    if (task.type == TaskType::regression) {
      targets.insert(task.column, read_numbers(table, task.column));
      const int64_t labels = targets[task.column].isnan().logical_not().sum().item<int64_t>();
      if (labels < 2)
        throw mtl::Error("task \"{}:regression\": {} of {} cells have a value", task.column, labels,
                         table.rows());
      continue;
    }
    const std::vector<std::string> texts = table.texts(task.column);
    if (task.classes.empty()) learn_classes(table, task, texts);
    targets.insert(task.column,
                   mtl::LabelEncoder(task.classes).encode(texts, mtl::UnknownLabel::missing));
  }
  return targets;
}

NamedTensors scale_targets(std::vector<ColumnTask>& tasks, const NamedTensors& targets,
                           const Tensor& rows) {
  NamedTensors scaled;
  for (ColumnTask& task : tasks) {
    const Tensor& target = targets[task.column];
    if (task.type == TaskType::regression) {
      const mtl::StandardScaler scaler(target.index_select(0, rows).unsqueeze(1));
      task.mean = scaler.mean().item<double>();
      task.scale = scaler.scale().item<double>();
      scaled.insert(task.column, scaler.transform(target.unsqueeze(1)).to(torch::kFloat32));
    } else {
      scaled.insert(task.column, target);
    }
  }
  return scaled;
}

Json to_json(const std::vector<ColumnTask>& tasks) {
  Json json = Json::array();
  for (const ColumnTask& task : tasks)
    json.push_back({{"column", task.column},
                    {"type", type_names.at(static_cast<size_t>(task.type))},
                    {"classes", task.classes},
                    {"mean", task.mean},
                    {"scale", task.scale}});
  return json;
}

std::vector<ColumnTask> tasks_from_json(const Json& json, const std::string& file) {
  using mtl::io::json_member;
  std::vector<ColumnTask> tasks;
  for (const Json& task : json)
    tasks.push_back({json_member<std::string>(task, "column", file),
                     type_named(json_member<std::string>(task, "type", file), file),
                     json_member<std::vector<std::string>>(task, "classes", file),
                     json_member<double>(task, "mean", file),
                     json_member<double>(task, "scale", file)});
  return tasks;
}

std::vector<mtl::Task> judged(const std::vector<ColumnTask>& tasks) {
  std::vector<mtl::Task> result;
  for (const ColumnTask& task : tasks) {
    mtl::Task& to_judge = result.emplace_back();
    to_judge.name = task.column;
    if (task.type == TaskType::regression)
      to_judge.metrics = {mtl::Rmse{}, mtl::Mae{}, mtl::R2{}};
    else if (task.type == TaskType::binary)
      to_judge.metrics = {mtl::Accuracy{}, mtl::RocAuc{}};
    else
      to_judge.metrics = {mtl::Accuracy{}, mtl::BalancedAccuracy{}};
  }
  return result;
}

}  // namespace table
