#include "loss_meter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mtl/combine/scalars.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

std::vector<double> numbers_of(const std::vector<Tensor>& scalars) {
  std::vector<double> numbers;
  numbers.reserve(scalars.size());
  if (scalars.empty() || scalars.front().is_cpu()) {
    for (const Tensor& scalar : scalars) numbers.push_back(number_of(scalar));
    return numbers;
  }
  torch::NoGradGuard no_grad;
  std::vector<Tensor> same_type;
  for (const Tensor& scalar : scalars) same_type.push_back(scalar.to(torch::kDouble));
  const Tensor all = torch::stack(same_type).cpu();
  numbers.assign(all.data_ptr<double>(), all.data_ptr<double>() + all.numel());
  return numbers;
}

int64_t first_not_finite(const std::vector<double>& numbers) {
  for (size_t i = 0; i < numbers.size(); ++i)
    if (!std::isfinite(numbers[i])) return static_cast<int64_t>(i);
  return -1;
}

std::vector<Tensor> loss_scalars(const TaskLosses& losses) {
  std::vector<Tensor> scalars = losses.values;
  for (const Tensor& weight : losses.weights)
    if (weight.defined()) scalars.push_back(weight);
  return scalars;
}

void LossMeter::add(const TaskLosses& losses, const std::vector<double>& numbers) {
  size_t next_weight = losses.values.size();
  for (size_t i = 0; i < losses.values.size(); ++i) {
    const auto task = static_cast<size_t>(losses.tasks[i]);
    const bool weighted = i < losses.weights.size() && losses.weights[i].defined();
    const double weight =
        weighted ? numbers[next_weight++] : static_cast<double>(losses.samples[i]);
    sums_[task] += numbers[i] * weight;
    weights_[task] += weight;
  }
}

std::vector<double> LossMeter::means() const {
  std::vector<double> means(sums_.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t t = 0; t < sums_.size(); ++t)
    if (weights_[t] > 0) means[t] = sums_[t] / weights_[t];
  return means;
}

Tensor LossMeter::saved() const {
  return torch::stack(
      {torch::tensor(sums_, torch::kDouble), torch::tensor(weights_, torch::kDouble)});
}

void LossMeter::load(const Tensor& saved) {
  const auto tasks = static_cast<int64_t>(sums_.size());
  if (saved.scalar_type() != torch::kDouble || saved.dim() != 2 || saved.size(0) != 2 ||
      saved.size(1) != tasks)
    throw Error("the losses of its epoch have shape {}, expected [2, {}]", shape_text(saved),
                tasks);
  const Tensor rows = saved.contiguous();
  const double* numbers = rows.data_ptr<double>();
  std::copy(numbers, numbers + tasks, sums_.begin());
  std::copy(numbers + tasks, numbers + 2 * tasks, weights_.begin());
}

double total_of(Combiner* combiner, const TaskRegistry& tasks, const std::vector<double>& losses) {
  TaskLosses present;
  present.task_count = tasks.size();
  for (int64_t t = 0; t < tasks.size(); ++t) {
    const double loss = losses[static_cast<size_t>(t)];
    if (std::isnan(loss) || tasks[t].auxiliary) continue;
    present.tasks.push_back(t);
    present.names.push_back(tasks[t].name);
    present.kinds.push_back(tasks[t].loss.kind());
    present.samples.push_back(1);
    present.values.push_back(torch::tensor(loss, torch::kDouble));
  }
  if (present.values.empty()) return std::numeric_limits<double>::quiet_NaN();
  torch::NoGradGuard no_grad;
  return combiner == nullptr ? torch::stack(present.values).sum().item<double>()
                             : combiner->total(present).item<double>();
}

}  // namespace mtl
