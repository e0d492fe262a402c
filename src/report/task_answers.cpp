#include "task_answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mtl/core/error.hpp"
#include "mtl/data/padding.hpp"
#include "mtl/task/metrics/confusion_matrix.hpp"

namespace mtl::report {
namespace {

using Kind = TaskAnswers::Kind;

std::vector<double> numbers_of(const Tensor& tensor) {
  const Tensor flat = tensor.reshape({-1}).to(torch::kCPU, torch::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

Kind kind_of(const Task& task, const Tensor& prediction, const Tensor& target) {
  // A loss of values or of yes and no takes whole numbers, too: counts, 0 and 1.
  const bool by_entry = prediction.numel() == target.numel() &&
                        (task.loss.kind() == LossKind::regression || task.loss.yes_or_no() ||
                         task.loss.outputs() == LossOutputs::probabilities);
  if (!target.is_floating_point() && !by_entry) {
    // Counts that quantiles are learnt of; a function of one's own does not say that it classifies.
    if (task.loss.kind() == LossKind::regression && prediction.dim() > 1 &&
        target.max().item<int64_t>() >= prediction.size(1))
      return Kind::none;
    if (prediction.dim() == 2 && target.dim() == 1) return Kind::classes;
    return prediction.dim() > 2 && target.dim() == prediction.dim() - 1 ? Kind::regions
                                                                        : Kind::none;
  }
  if (prediction.numel() != target.numel()) return Kind::none;
  return task.loss.kind() == LossKind::regression ? Kind::values : Kind::yes_no;
}

// The task's targets as metrics see them: in rows of weight 0 they are missing, and class indices
// come without a dimension 1 of length 1.
Tensor targets_that_count(const Task& task, const Predictions& predictions, const Tensor& given,
                          const Tensor& prediction) {
  const bool column = task.loss.kind() == LossKind::classification && !given.is_floating_point() &&
                      given.dim() >= 2 && given.size(1) == 1 && given.dim() == prediction.dim() &&
                      prediction.size(1) > 1;
  const Tensor target = task.loss.marked(column ? given.squeeze(1) : given);
  const Batch weighted{.sample_weights = predictions.sample_weights,
                       .task_sample_weights = predictions.task_sample_weights};
  const Tensor weights = sample_weights_of(weighted, task.name);
  if (!weights.defined() || weights.gt(0).all().item<bool>()) return target;
  const Tensor known = target.is_floating_point() ? target : target.to(torch::kLong);
  std::vector<int64_t> along_rows(static_cast<size_t>(target.dim()), 1);
  along_rows.front() = target.size(0);
  return known.masked_fill(weights.eq(0).view(along_rows), missing_label(known, task.name));
}

// Rows of class scores may be probabilities already (of an average of several models).
Tensor probabilities_of(const Tensor& scores) {
  const Tensor all = scores.to(torch::kCPU, torch::kDouble), sums = all.sum(1);
  // Rows that are NaN say nothing about the others.
  const bool already = all.size(1) > 1 && !(all < 0).any().item<bool>() &&
                       !((sums - 1).abs() >= 1e-4).any().item<bool>();
  return already ? all : all.softmax(1);
}

void count_answers(TaskAnswers& found) {
  const auto classes = static_cast<Eigen::Index>(found.class_names.size());
  found.counts = Eigen::MatrixXd::Zero(classes, classes);
  for (const auto& answer : found.answers)
    ++found.counts(static_cast<Eigen::Index>(answer.truth), static_cast<Eigen::Index>(answer.said));
}

void name_classes(TaskAnswers& found, int64_t classes, bool yes_no) {
  found.class_names = found.view.class_names;
  if (found.class_names.empty() && yes_no) found.class_names = {"no", "yes"};
  if (found.class_names.empty())
    for (int64_t c = 0; c < classes; ++c) found.class_names.push_back(std::to_string(c));
  if (static_cast<int64_t>(found.class_names.size()) != classes)
    throw Error("report: task \"{}\" has {} classes, but {} class names", found.view.task, classes,
                found.class_names.size());
}

void find_classes(TaskAnswers& found, const Tensor& scores, const Tensor& target) {
  const int64_t classes = scores.size(1);
  name_classes(found, classes, false);
  const std::vector<double> all = numbers_of(probabilities_of(scores)), truth = numbers_of(target);
  for (int64_t row = 0; row < scores.size(0); ++row) {
    const double label = truth[static_cast<size_t>(row)];
    if (label < 0) continue;
    if (label >= static_cast<double>(classes))
      throw Error("report: task \"{}\": sample {} has class {}, its head knows 0 to {}",
                  found.view.task, row, label, classes - 1);
    const auto begin = all.begin() + row * classes;
    if (std::any_of(begin, begin + classes, [](double value) { return std::isnan(value); }))
      continue;
    const auto said = std::max_element(begin, begin + classes) - begin;
    found.answers.push_back({row, 0, label, static_cast<double>(said), begin[said],
                             begin[static_cast<std::ptrdiff_t>(label)], 0});
  }
  count_answers(found);
}

void find_yes_no(TaskAnswers& found, const Tensor& probabilities, const Tensor& target) {
  name_classes(found, 2, true);
  const std::vector<double> all = numbers_of(probabilities), truth = numbers_of(target);
  for (size_t i = 0; i < all.size(); ++i) {
    if (!std::isfinite(all[i]) || !(truth[i] >= 0 && truth[i] <= 1)) continue;
    const bool yes = all[i] > 0.5, is = truth[i] >= 0.5;
    const auto place = static_cast<int64_t>(i);
    found.answers.push_back({place / found.outputs, place % found.outputs, is ? 1.0 : 0.0,
                             yes ? 1.0 : 0.0, yes ? all[i] : 1 - all[i], is ? all[i] : 1 - all[i],
                             truth[i]});
  }
  count_answers(found);
}

void find_values(TaskAnswers& found, const Tensor& prediction, const Tensor& target) {
  found.truth = numbers_of(target);
  found.prediction = numbers_of(prediction);
  for (auto* values : {&found.truth, &found.prediction})
    for (double& value : *values) value = found.view.scale * value + found.view.offset;
  for (size_t i = 0; i < found.truth.size(); ++i) {
    if (!std::isfinite(found.truth[i]) || !std::isfinite(found.prediction[i])) continue;
    const auto place = static_cast<int64_t>(i);
    found.answers.push_back({place / found.outputs, place % found.outputs, found.truth[i],
                             found.prediction[i], 0, 0, 0});
  }
}

void find_regions(TaskAnswers& found, const Tensor& scores, const Tensor& target) {
  name_classes(found, scores.size(1), false);
  const auto classes = static_cast<Eigen::Index>(found.class_names.size());
  found.counts = Eigen::MatrixXd::Zero(classes, classes);
  const Tensor known =  // where an answer is NaN it is left out, as in rows
      target.to(torch::kLong).masked_fill(scores.isnan().any(1), missing_class);
  const std::vector<double> cells = numbers_of(confusion_matrix(scores.nan_to_num(), known));
  for (Eigen::Index i = 0; i < classes; ++i)
    for (Eigen::Index j = 0; j < classes; ++j)
      found.counts(i, j) = cells[static_cast<size_t>(i * classes + j)];
}

// The mean absolute error of always saying the truths' median, which no other single value beats.
double error_of_median(const std::vector<TaskAnswers::Answer>& answers) {
  std::vector<double> truth;
  for (const auto& answer : answers) truth.push_back(answer.truth);
  const auto middle = truth.begin() + static_cast<std::ptrdiff_t>(truth.size() / 2);
  std::nth_element(truth.begin(), middle, truth.end());
  const double median = *middle;
  double sum = 0;
  for (const double value : truth) sum += std::abs(value - median);
  return sum / static_cast<double>(truth.size());
}

}  // namespace

TaskView view_of(const RunReport& report, const std::string& task) {
  for (TaskView view : report.views)
    if (view.task == task) {
      if (view.title.empty()) view.title = task;
      return view;
    }
  TaskView view;
  view.task = view.title = task;
  return view;
}

TaskAnswers task_answers(const Task& task, const Predictions& predictions, const TaskView& view) {
  TaskAnswers found;
  found.view = view;
  found.auxiliary = task.auxiliary;
  const Tensor* prediction = predictions.predictions.find(task.name);
  const Tensor* target = predictions.targets.find(task.target_name());
  if (!prediction || !target || target->numel() == 0) return found;
  const Tensor truth = targets_that_count(task, predictions, *target, *prediction);
  found.kind = kind_of(task, *prediction, truth);
  found.samples = truth.size(0);
  found.outputs = truth.numel() / found.samples;
  switch (found.kind) {
    case Kind::classes:
      find_classes(found, *prediction, truth);
      break;
    case Kind::yes_no:
      find_yes_no(found,
                  task.loss.outputs() == LossOutputs::probabilities
                      ? *prediction
                      : prediction->to(torch::kDouble).sigmoid(),
                  with_type(truth, torch::kDouble));
      break;
    case Kind::regions:
      find_regions(found, *prediction, truth);
      break;
    case Kind::values:
      find_values(found, *prediction, with_type(truth, torch::kDouble));
      break;
    case Kind::none:
      break;
  }
  return found;
}

std::string sentence_of(const TaskAnswers& found, const std::string& split) {
  if (found.kind == Kind::none || found.empty()) return {};
  if (found.kind == Kind::values) {
    double sum = 0;
    for (const auto& answer : found.answers) sum += std::abs(answer.said - answer.truth);
    const std::string unit = found.view.unit.empty() ? "" : "\u00a0" + found.view.unit;
    const auto count = found.answers.size();
    if (found.outputs > 1)
      return fmt::format("{}: mean absolute error {:.3g}{} over {} values of the {} data.",
                         found.title(), sum / static_cast<double>(count), unit, count, split);
    return fmt::format(
        "{}: mean absolute error {:.3g}{} over {} samples of the {} data; always saying their "
        "median would give {:.3g}{}.",
        found.title(), sum / static_cast<double>(count), unit, count, split,
        error_of_median(found.answers), unit);
  }
  const double right = found.counts.trace(), all = found.counts.sum();
  Eigen::Index frequent = 0;
  const double usual = found.counts.rowwise().sum().maxCoeff(&frequent);
  return fmt::format(
      "{}: {:.1f}\u00a0% right ({} of {} {} of the {} data); always saying \"{}\", the most "
      "frequent there, would give {:.1f}\u00a0%.",
      found.title(), 100 * right / all, right, all,
      found.kind == Kind::regions ? "pixels"
      : found.outputs > 1         ? "answers"
                                  : "samples",
      split, found.class_names[static_cast<size_t>(frequent)], 100 * usual / all);
}

}  // namespace mtl::report
