#include "mtl/sharing/surgery/task_change.hpp"

#include <algorithm>

#include "mtl/core/error.hpp"
#include "mtl/sharing/surgery/changed_model.hpp"

namespace mtl {
namespace {

NamedTensors tensors_of(const torch::nn::Module& module) {
  NamedTensors all = module.named_parameters();
  all.update(module.named_buffers());
  return all;
}

/// A tensor's value, with its type and device, and whether it is frozen.
void take_over(const Tensor& from, Tensor to) {
  to.set_data(from.detach().clone());
  if (from.is_floating_point() || from.is_complex()) to.set_requires_grad(from.requires_grad());
}

/// `name` with the segment `task` as `like` where `before` has a tensor of that name: no other
/// segment that happens to read like the task gives one, since `before` does not know the task.
const Tensor* tensor_like(const NamedTensors& before, const std::string& name,
                          const std::string& task, const std::string& like) {
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    if (name.compare(begin, end - begin, task) == 0) {
      const auto found = name.substr(0, begin) + like + name.substr(end);
      if (const Tensor* tensor = before.find(found)) return tensor;
    }
    begin = end + 1;
  }
  return nullptr;
}

}  // namespace

TaskChange::TaskChange(const Model& before, std::string_view dropped)
    : before_(before), dropped_(dropped) {
  before.tasks().at(dropped);
  if (before.tasks().size() == 1)
    throw Error("drop_task: \"{}\" is the model's only task, and a model needs one", dropped);
}

TaskChange::TaskChange(const Model& before, Task added, NewTaskParts parts)
    : before_(before), added_(std::move(added)), parts_(std::move(parts)) {
  TaskRegistry tasks = before.tasks();
  tasks.add(*added_);  // checks name and loss
  if (!added_->head)
    throw Error("add_task: task \"{}\" has no head; give Task::head", added_->name);
  if (!parts_.like.empty()) {
    before.tasks().at(parts_.like);
    if (!parts_.parts.empty())
      throw Error("add_task: task \"{}\" is to be like \"{}\" and brings parts; give one of both",
                  added_->name, parts_.like);
  }
}

const TaskRegistry& TaskChange::tasks() {
  if (tasks_) return *tasks_;
  tasks_.emplace();
  for (Task task : before_.tasks()) {
    if (task.name == dropped_) continue;
    task.head = copy(task.head);
    tasks_->add(std::move(task));
  }
  if (added_) {
    Task task = *added_;
    const auto of_another = copies_.find(task.head.module().get());
    task.head = of_another != copies_.end() ? of_another->second : take(task.head);
    tasks_->add(std::move(task));
  }
  return *tasks_;
}

Encoder TaskChange::copy(const Encoder& part) {
  if (!part) return part;
  const auto [found, is_new] = copies_.try_emplace(part.module().get());
  if (is_new) {
    found->second = part.clone();
    note(*part.module(), found->second.module());
  }
  return found->second;
}

std::shared_ptr<Model> TaskChange::copy(const Model& inner) {
  auto model = std::dynamic_pointer_cast<Model>(inner.clone());
  note(inner, model);
  return model;
}

std::vector<Encoder> TaskChange::copies(const std::vector<Encoder>& parts) {
  std::vector<Encoder> all;
  for (const Encoder& part : parts) all.push_back(copy(part));
  return all;
}

std::vector<std::vector<Encoder>> TaskChange::by_task(
    const std::vector<std::vector<Encoder>>& before, std::optional<size_t> count,
    std::string_view way, std::string_view what) {
  std::vector<std::vector<Encoder>> after;
  const TaskRegistry& tasks_before = before_.tasks();
  for (int64_t t = 0; t < tasks_before.size(); ++t)
    if (tasks_before[t].name != dropped_) after.push_back(copies(before[static_cast<size_t>(t)]));
  if (!added_) return after;
  auto& own = after.emplace_back();
  if (!parts_.like.empty()) {
    for (const Encoder& part : before[static_cast<size_t>(tasks_before.index_of(parts_.like))]) {
      own.push_back(part.clone());
      give(*own.back().module());
      stay_.emplace_back(part.module().get(), own.back().module());
    }
    return after;
  }
  if (count ? parts_.parts.size() != *count : parts_.parts.empty())
    throw Error(
        "add_task: {} gives each task {}, and task \"{}\" brings {} parts; give them as .parts, or "
        "name in .like a task whose parts it begins with",
        way, what, added_->name, parts_.parts.size());
  for (const Encoder& part : parts_.parts) own.push_back(take(part));
  return after;
}

Encoder TaskChange::take(const Encoder& part) {
  give(*part.module());
  brought_.push_back(part.module().get());
  return part;
}

void TaskChange::require_no_parts(std::string_view way) const {
  if (!parts_.parts.empty())
    throw Error("add_task: task \"{}\" brings {} parts, and {} has no use for them; leave them out",
                added_->name, parts_.parts.size(), way);
}

std::shared_ptr<Model> TaskChange::inside(const Model& inner) {
  auto [model, kept] = changed_model(
      inner, dropped_ ? TaskChange(inner, *dropped_) : TaskChange(inner, *added_, parts_));
  give(*model);
  kept_.insert(kept_.end(), kept.begin(), kept.end());
  stay_.emplace_back(nullptr, model);  // its modes are right already
  return model;
}

void TaskChange::note(const torch::nn::Module& before,
                      const std::shared_ptr<torch::nn::Module>& after) {
  stay_.emplace_back(&before, after);
  give(*after);
  const NamedTensors of_before = before.named_parameters(), of_after = after->named_parameters();
  for (const auto& item : of_before)
    if (item.value().defined()) kept_.push_back({item.value(), of_after[item.key()]});
}

void TaskChange::give(const torch::nn::Module& module) {
  const NamedTensors tensors = tensors_of(module);
  for (const auto& item : tensors) given_.insert(item.value().unsafeGetTensorImpl());
}

Changed<std::shared_ptr<Model>> TaskChange::finish(std::shared_ptr<Model> after) {
  const NamedTensors before = tensors_of(before_);
  // Where the new task's tensors go.
  at::TensorOptions like(at::kFloat);
  for (const auto& item : before)
    if (item.value().defined() && item.value().is_floating_point()) {
      like = item.value().options();
      break;
    }
  const auto move_there = [&](Tensor tensor) {
    const auto type =
        tensor.is_floating_point() ? c10::typeMetaToScalarType(like.dtype()) : tensor.scalar_type();
    tensor.set_data(tensor.detach().to(like.device(), type));
  };
  const NamedTensors parameters = after->named_parameters(), tensors = tensors_of(*after);
  for (const auto& item : tensors) {
    if (!item.value().defined() || given_.contains(item.value().unsafeGetTensorImpl())) continue;
    const Tensor* from = before.find(item.key());
    if (from != nullptr && parameters.contains(item.key())) kept_.push_back({*from, item.value()});
    if (from == nullptr && added_ && !parts_.like.empty())
      from = tensor_like(before, item.key(), added_->name, parts_.like);
    if (from != nullptr && from->sizes() != item.value().sizes())
      throw Error("{} has shape {} in the model and would have {} after the change of tasks",
                  item.key(), shape_text(*from), shape_text(item.value()));
    if (from != nullptr)
      take_over(*from, item.value());
    else
      move_there(item.value());
  }
  for (const torch::nn::Module* module : brought_) {
    const NamedTensors of_part = tensors_of(*module);
    for (const auto& item : of_part)
      if (item.value().defined()) move_there(item.value());
  }

  // Modes, those of parts by themselves: parents come before their children.
  std::vector<std::vector<bool>> of_inner;
  for (const auto& [from, to] : stay_) {
    auto& modes = of_inner.emplace_back();
    const auto modules = (from != nullptr ? *from : *to).modules();
    for (const auto& module : modules) modes.push_back(module->is_training());
  }
  after->train(before_.is_training());
  for (size_t p = 0; p < stay_.size(); ++p) {
    const auto modules = stay_[p].second->modules();
    for (size_t m = 0; m < modules.size() && m < of_inner[p].size(); ++m)
      modules[m]->train(of_inner[p][m]);
  }
  return {std::move(after), std::move(kept_)};
}

}  // namespace mtl
