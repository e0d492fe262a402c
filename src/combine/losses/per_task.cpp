#include "mtl/combine/losses/per_task.hpp"

#include <cmath>
#include <utility>

#include "mtl/core/error.hpp"

namespace mtl {

Tensor stacked(const TaskLosses& losses) { return torch::stack(losses.values); }

Tensor present(const Tensor& by_task, const TaskLosses& losses, std::string_view what) {
  if (by_task.size(0) != losses.task_count) {
    throw Error("there are {} {}, but {} tasks; give one a task, in the order of the registry",
                by_task.size(0), what, losses.task_count);
  }
  Tensor entries = by_task.to(losses.values.front().options());
  if (losses.size() == losses.task_count) return entries;
  return entries.index_select(0, torch::tensor(losses.tasks).to(entries.device()));
}

void check_positive(const TaskLosses& losses, std::string_view method) {
  for (size_t t = 0; t < losses.values.size(); ++t) {
    if (!losses.values[t].device().is_cpu()) return;
    const double value = losses.values[t].item<double>();
    if (value > 0 || std::isnan(value)) continue;  // NaN is the trainer's to report
    throw Error(
        "task \"{}\": its loss is {}, but {} needs positive losses. Add a constant to the loss, or "
        "choose another combiner",
        losses.names[t], value, method);
  }
}

TaskParameter::TaskParameter(std::string name, int64_t tasks, double start)
    : name_(std::move(name)),
      start_(start),
      tensor_(torch::full({tasks}, start).requires_grad_()) {}

Tensor TaskParameter::present(const TaskLosses& losses) {
  const auto& like = losses.values.front();
  if (tensor_.size(0) == 0) {
    tensor_.set_data(torch::full({losses.task_count}, start_, like.options().requires_grad(false)));
  } else if (tensor_.scalar_type() != like.scalar_type() || tensor_.device() != like.device()) {
    tensor_.set_data(tensor_.detach().to(like.options().requires_grad(false)));
  }
  return mtl::present(tensor_, losses, name_ + " entries");
}

Tensor TaskParameter::values(const TaskLosses& losses) const {
  if (tensor_.size(0) != 0) return mtl::present(tensor_, losses, name_ + " entries");
  return torch::full({losses.size()}, start_, losses.values.front().options().requires_grad(false));
}

NamedTensors TaskParameter::state_dict() const {
  NamedTensors state;
  state.insert(name_, tensor_.detach());
  return state;
}

void TaskParameter::load_state_dict(const NamedTensors& state) {
  const Tensor& loaded = state_entry(state, name_);
  if (loaded.dim() != 1 || (tensor_.size(0) != 0 && loaded.sizes() != tensor_.sizes())) {
    throw Error("the state has {} of shape {}, expected {}", name_, shape_text(loaded),
                shape_text(tensor_));
  }
  tensor_.set_data(loaded.detach().clone());
}

const Tensor& state_entry(const NamedTensors& state, const std::string& name) {
  if (const Tensor* entry = state.find(name)) return *entry;
  std::string names;
  for (const auto& item : state) names += (names.empty() ? "" : ", ") + item.key();
  throw Error("the state has no \"{}\", but {}; it is of another combiner", name,
              names.empty() ? "nothing" : names);
}

Tensor option_tensor(const std::vector<double>& values, std::string_view what) {
  for (const double value : values) {
    if (!std::isfinite(value)) throw Error("{} holds {}, expected finite numbers", what, value);
  }
  return values.empty() ? Tensor() : torch::tensor(values, torch::kDouble);
}

}  // namespace mtl
