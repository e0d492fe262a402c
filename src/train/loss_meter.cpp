#include "loss_meter.hpp"

#include <cmath>
#include <limits>

namespace mtl {
namespace {

double read(const Tensor& scalar) {
  switch (scalar.scalar_type()) {
    case torch::kFloat:
      return *scalar.data_ptr<float>();
    case torch::kDouble:
      return *scalar.data_ptr<double>();
    default:
      return scalar.item<double>();
  }
}

}  // namespace

LossMeter::LossMeter(int64_t tasks)
    : sums_(static_cast<size_t>(tasks)), samples_(static_cast<size_t>(tasks)) {}

int64_t LossMeter::add(const TaskLosses& losses) {
  for (size_t i = 0; i < losses.values.size(); ++i) {
    const auto task = static_cast<size_t>(losses.tasks[i]);
    if (!losses.values[i].is_cpu()) {
      pending_.push_back({losses.tasks[i], losses.samples[i], losses.values[i].detach()});
      continue;
    }
    const double value = read(losses.values[i]);
    if (!std::isfinite(value)) return static_cast<int64_t>(i);
    sums_[task] += value * static_cast<double>(losses.samples[i]);
    samples_[task] += losses.samples[i];
  }
  return -1;
}

std::vector<double> LossMeter::means() {
  if (!pending_.empty()) {
    std::vector<Tensor> values;
    for (const Pending& pending : pending_) values.push_back(pending.value.to(torch::kDouble));
    const Tensor all = torch::stack(values).cpu();
    for (size_t i = 0; i < pending_.size(); ++i) {
      const auto task = static_cast<size_t>(pending_[i].task);
      sums_[task] += all.data_ptr<double>()[i] * static_cast<double>(pending_[i].samples);
      samples_[task] += pending_[i].samples;
    }
    pending_.clear();
  }
  std::vector<double> means(sums_.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t t = 0; t < sums_.size(); ++t)
    if (samples_[t] > 0) means[t] = sums_[t] / static_cast<double>(samples_[t]);
  return means;
}

double total_of(Combiner& combiner, const TaskRegistry& tasks, const std::vector<double>& losses) {
  TaskLosses present;
  present.task_count = tasks.size();
  for (int64_t t = 0; t < tasks.size(); ++t) {
    const double loss = losses[static_cast<size_t>(t)];
    if (std::isnan(loss)) continue;
    present.tasks.push_back(t);
    present.names.push_back(tasks[t].name);
    present.samples.push_back(1);
    present.kinds.push_back(tasks[t].loss.kind());
    present.values.push_back(torch::tensor(loss, torch::kDouble));
  }
  if (present.values.empty()) return std::numeric_limits<double>::quiet_NaN();
  torch::NoGradGuard no_grad;
  return combiner.total(present).item<double>();
}

}  // namespace mtl
