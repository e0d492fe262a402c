#include "mtl/task/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "rows.hpp"

namespace mtl {
namespace {

/// Predictions, targets and LibTorch's words, without its list of calls.
std::string torch_text(const c10::Error& error, const Tensor& prediction, const Tensor& target) {
  std::string text = error.what_without_backtrace();
  text.erase(std::min(text.find('\n'), text.size()));
  return fmt::format("prediction {} of type {} and target {} of type {}: {}",
                     shape_text(prediction), toString(prediction.scalar_type()), shape_text(target),
                     toString(target.scalar_type()), text);
}

}  // namespace

LossValue loss_of(const Task& task, const Tensor& prediction, const Batch& batch) {
  const Tensor* target = batch.targets.find(task.target_name());
  if (target == nullptr || !target->defined()) return {};
  if (prediction.device() != target->device())
    throw Error(
        "task \"{}\": its prediction lies on {}, its target \"{}\" on {}; move the batch to the "
        "model's device, with mtl::to(batch, device) or TrainerOptions::device",
        task.name, prediction.device().str(), task.target_name(), target->device().str());
  try {
    return task.loss(prediction, *target, batch.complete, sample_weights_of(batch, task.name));
  } catch (const Error& error) {
    throw Error("task \"{}\": {}", task.name, error.what());
  } catch (const c10::Error& error) {
    throw Error("task \"{}\": the loss does not take {}", task.name,
                torch_text(error, prediction, *target));
  }
}

std::vector<double> metrics_of(const Task& task, const Tensor& predictions, const Tensor& targets,
                               const Tensor& sample_weights) {
  std::vector<double> values(task.metrics.size(), std::numeric_limits<double>::quiet_NaN());
  if (values.empty()) return values;
  task_detail::Rows rows;
  try {
    if (predictions.dim() == 0 || targets.dim() == 0 || predictions.size(0) != targets.size(0))
      throw Error("predictions {} and targets {} do not count the same samples",
                  shape_text(predictions), shape_text(targets));
    rows = task_detail::rows_that_count(predictions, targets, sample_weights,
                                        task.loss.is_labelled(targets));
  } catch (const Error& error) {
    throw Error("task \"{}\": {}", task.name, error.what());
  }
  if (rows.targets.size(0) == 0) return values;
  for (size_t m = 0; m < values.size(); ++m) {
    const auto named = [&](const std::string& text) {
      return Error("task \"{}\", metric \"{}\": {}", task.name, task.metrics[m].name, text);
    };
    try {
      values[m] = task.metrics[m](rows.predictions, rows.targets, rows.weights);
    } catch (const RowError& error) {
      throw named(error.in_whole(rows.numbers).what());
    } catch (const Error& error) {
      throw named(error.what());
    } catch (const c10::Error& error) {
      throw named(torch_text(error, predictions, targets));
    }
  }
  return values;
}

}  // namespace mtl
