#include "mtl/task/task_metrics.hpp"

#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "rows.hpp"
#include "torch_text.hpp"

namespace mtl {
namespace {

Tensor on_cpu(const Tensor& tensor) { return tensor.defined() ? tensor.cpu() : tensor; }

/// The numbers by which a metric groups the rows, [N]; undefined: it does not.
Tensor groups_of(const Metric& metric, const NamedTensors& beside, int64_t samples) {
  if (metric.group.empty()) return {};
  const Tensor* groups = beside.find(metric.group);
  if (groups == nullptr || !groups->defined())
    throw Error(
        "it groups rows by the target \"{}\", which is not there; add it to the targets of the "
        "data set, a whole number a row",
        metric.group);
  if (groups->numel() != samples || groups->size(0) != samples)
    throw Error("the target \"{}\", by which it groups rows, has shape {}, expected [{}]",
                metric.group, shape_text(*groups), samples);
  return groups->reshape({samples}).cpu();
}

}  // namespace

TaskMetrics::TaskMetrics(const Task& task) : task_(task) {
  for (const Metric& metric : task.metrics) streams_.emplace_back(metric);
}

void TaskMetrics::rethrow(size_t metric) const {
  const std::string& name = task_.metrics[metric].name;
  try {
    throw;
  } catch (const Error& error) {
    throw Error("task \"{}\", metric \"{}\": {}", task_.name, name, error.what());
  } catch (const c10::Error& error) {
    throw Error("task \"{}\", metric \"{}\": {}", task_.name, name, torch_text(error));
  }
}

void TaskMetrics::add(const Tensor& predictions, const Batch& batch) {
  const Tensor* target = batch.targets.find(task_.target_name());
  if (target == nullptr || !target->defined()) return;
  add(predictions, *target, sample_weights_of(batch, task_.name), batch.targets);
}

void TaskMetrics::add(const Tensor& predictions, const Tensor& targets,
                      const Tensor& sample_weights, const NamedTensors& beside) {
  if (streams_.empty()) return;
  task_detail::Rows rows;
  try {
    task_detail::check_same_samples(predictions, targets);
    const Tensor truth = task_.loss.marked(targets.cpu());
    rows = task_detail::rows_that_count(predictions.cpu(), truth, on_cpu(sample_weights),
                                        task_.loss.is_labelled(truth));
  } catch (const Error& error) {
    throw Error("task \"{}\": {}", task_.name, error.what());
  }
  if (rows.targets.size(0) == 0) {
    for (MetricStream& stream : streams_) stream.rows_ += targets.size(0);
    return;
  }
  for (size_t m = 0; m < streams_.size(); ++m) {
    try {
      Tensor groups = groups_of(task_.metrics[m], beside, targets.size(0));
      if (groups.defined() && rows.numbers.defined()) groups = groups.index_select(0, rows.numbers);
      streams_[m].add_rows(rows, groups, targets.size(0));
    } catch (const Error&) {
      rethrow(m);
    } catch (const c10::Error& error) {
      throw Error("task \"{}\", metric \"{}\": {}", task_.name, task_.metrics[m].name,
                  torch_text(error, predictions, targets));
    }
  }
}

void TaskMetrics::merge(const TaskMetrics& other) {
  if (streams_.size() != other.streams_.size())
    throw Error("task \"{}\": it has {} metrics, those to be merged are {}", task_.name,
                streams_.size(), other.streams_.size());
  for (size_t m = 0; m < streams_.size(); ++m) {
    try {
      streams_[m].merge(other.streams_[m]);
    } catch (const Error&) {
      rethrow(m);
    }
  }
}

std::vector<double> TaskMetrics::values() const {
  std::vector<double> values;
  for (size_t m = 0; m < streams_.size(); ++m) {
    try {
      values.push_back(streams_[m].value());
    } catch (const Error&) {
      rethrow(m);
    } catch (const c10::Error&) {
      rethrow(m);
    }
  }
  return values;
}

}  // namespace mtl
