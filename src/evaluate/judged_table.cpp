#include "mtl/evaluate/judged_table.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "mtl/core/random.hpp"
#include "mtl/data/splits/k_folds.hpp"
#include "mtl/evaluate/sample.hpp"
#include "mtl/task/metrics/accuracy.hpp"
#include "mtl/task/metrics/balanced_accuracy.hpp"
#include "mtl/task/metrics/mae.hpp"
#include "mtl/task/metrics/r2.hpp"
#include "mtl/task/metrics/rmse.hpp"
#include "mtl/task/metrics/roc_auc.hpp"

namespace mtl::evaluate {
namespace {

double squared_error(const Predictions& said, const std::string& task) {
  Tensor squares = (said.predictions[task] - said.targets[task]).square();
  if (said.sample_weights.defined()) squares = squares * said.sample_weights;
  return squares.nansum().item<double>();
}

/// What one says of every row without a network: the mean, [], or how frequent each class is, [C].
Tensor usual_answer(const TargetColumn& task, const Tensor& learnt, const Tensor& weights) {
  const bool is_number = task.classes.empty();
  const Tensor known = is_number ? learnt.isnan().logical_not() : learnt.ge(0);
  const Tensor counts = (weights.defined() ? weights * known : known).to(torch::kFloat64);
  if (is_number) return (counts * learnt).nansum() / counts.sum();
  const Tensor is_class = learnt.unsqueeze(1).eq(torch::arange(task.outputs()));
  return counts.matmul(is_class.to(torch::kFloat64)) / counts.sum();
}

}  // namespace

std::vector<Task> judged_tasks(const std::vector<TargetColumn>& columns) {
  std::vector<Task> tasks;
  for (const TargetColumn& column : columns) {
    Task& task = tasks.emplace_back(Task{.name = column.name});
    if (column.type == TargetType::regression)
      task.metrics = {Rmse{}, Mae{}, R2{}};
    else if (column.type == TargetType::binary)
      task.metrics = {Accuracy{}, RocAuc{}};
    else
      task.metrics = {Accuracy{}, BalancedAccuracy{}};
  }
  return tasks;
}

void JudgedTable::add(TableModel& model, const TableData& data, const Tensor& learnt_from,
                      const Tensor& rows) {
  tasks_ = judged_tasks(data.tasks);
  RowPredictions said{rows, {}}, usual{rows, {}};
  const NamedTensors all = model.predict(data.inputs);
  const auto weights_of = [&](const Tensor& some) {
    return data.weights.defined() ? data.weights.index_select(0, some) : Tensor();
  };
  const Tensor weights = weights_of(learnt_from);
  for (const TargetColumn& task : data.tasks) {
    const Tensor target = data.targets[task.name], answer = all[task.name].index_select(0, rows);
    said.predictions.predictions.insert(task.name, answer);
    said.predictions.targets.insert(task.name, target.index_select(0, rows));
    const Tensor same = usual_answer(task, target.index_select(0, learnt_from), weights);
    usual.predictions.predictions.insert(task.name, same.expand_as(answer).contiguous());
  }
  said.predictions.sample_weights = weights_of(rows);
  usual.predictions.targets = said.predictions.targets;
  usual.predictions.sample_weights = said.predictions.sample_weights;
  networks_.push_back(std::move(said));
  without_.push_back(std::move(usual));
}

std::vector<JudgedTable::Measure> JudgedTable::measures() const {
  const RowPredictions said = answers(), usual = in_row_order(without_);
  std::vector<Measure> measures;
  for (const Task& task : tasks_) {
    const auto values = metrics_of(task, said.predictions),
               usual_values = metrics_of(task, usual.predictions);
    for (size_t i = 0; i < values.size(); ++i)
      measures.push_back({task.name, task.metrics[i].name, values[i], usual_values[i]});
    if (const double share = relative_rmse(task.name); std::isfinite(share))
      measures.push_back({task.name, "relative_rmse", share, 1});
  }
  return measures;
}

double JudgedTable::relative_rmse(std::string_view task) const {
  const std::string name(task);
  std::vector<double> shares;
  for (size_t i = 0; i < networks_.size(); ++i) {
    const Predictions& said = networks_[i].predictions;
    if (said.predictions[name].dim() > 1) continue;  // of classes
    const double share =
        std::sqrt(squared_error(said, name) / squared_error(without_[i].predictions, name));
    if (std::isfinite(share)) shares.push_back(share);
  }
  return shares.empty() ? NAN : mean(shares);
}

double JudgedTable::average_relative_rmse() const {
  std::vector<double> shares;
  for (const Task& task : tasks_)
    if (const double share = relative_rmse(task.name); std::isfinite(share))
      shares.push_back(share);
  return shares.empty() ? NAN : mean(shares);
}

io::Json JudgedTable::json() const {
  io::Json json;
  for (const auto& [task, measure, networks, without] : measures())
    json["tasks"][task][measure] = {{"networks", networks}, {"without", without}};
  if (const double average = average_relative_rmse(); std::isfinite(average))
    json["average_relative_rmse"] = average;
  return json;
}

JudgedTable cross_validate(
    const TableData& data, int64_t folds, TableLearning learning,
    const std::function<void(const LearntTable&, const JudgedTable&)>& after) {
  const uint64_t seed = learning.seed;
  JudgedTable judged;
  for (const Fold& fold : k_folds(data.rows(), folds, seed)) {
    learning.seed = mix_seed(seed, judged.parts());
    LearntTable learnt = learn_table(data, fold.train, learning);
    judged.add(learnt.model, data, fold.train, fold.test);
    if (after) after(learnt, judged);
  }
  return judged;
}

}  // namespace mtl::evaluate
