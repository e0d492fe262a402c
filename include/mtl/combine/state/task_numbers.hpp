#pragma once

#include <ATen/core/grad_mode.h>

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mtl/combine/combiner.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// What a combiner keeps by task: one number for each task of the registry, [T]. A step changes the
/// numbers of the tasks that are present in it, [P], and of no other.
///
/// Their number is known from the start, or told before the first step (`set_task_count`), or found
/// at the first step. They are used in one of three ways:
///  - kept in double precision on the CPU: `present`, `keep`;
///  - summed where the losses are, without waiting for the device: `add`;
///  - learned by the user's optimizer: `parameters`, and `learned` or `add_gradient`. Each is a
///    tensor of its own, so that an absent task has no gradient at all, not even the zeros that
///    zero_grad of LibTorch 1.13 leaves, and neither momentum nor decay moves its number.
///
/// In a state they are one tensor [T] by their name; [0] while their number is not known.
class TaskNumbers {
 public:
  /// All begin at `start`. `tasks` 0: their number is not known yet.
  TaskNumbers(std::string name, double start, int64_t tasks = 0)
      : name_(std::move(name)),
        start_(start),
        numbers_(torch::full({tasks}, start, torch::kDouble)) {}
  /// A copy learns by itself: it shares no tensor.
  TaskNumbers(const TaskNumbers& other)
      : name_(other.name_),
        start_(other.start_),
        numbers_(other.numbers_.clone()),
        has_type_(other.has_type_) {}
  TaskNumbers(TaskNumbers&&) = default;
  TaskNumbers& operator=(const TaskNumbers& other) { return *this = TaskNumbers(other); }
  TaskNumbers& operator=(TaskNumbers&&) = default;
  ~TaskNumbers() = default;

  const std::string& name() const { return name_; }
  /// T; 0: not known yet.
  int64_t size() const { return numbers_.size(0); }
  /// Error: they are of another number of tasks; it is negative.
  void set_task_count(int64_t tasks);

  /// Of all tasks, [T].
  Eigen::VectorXd all() const;
  /// Of the tasks of a step, [P].
  Eigen::VectorXd present(const TaskLosses& step);
  /// Gives the tasks of a step new numbers, [P].
  void keep(const TaskLosses& step, const Eigen::VectorXd& numbers);
  /// Gives all tasks new numbers, [T].
  void keep(const Eigen::VectorXd& all);
  /// Adds to the numbers of the tasks of a step, [P]; they go where `numbers` are.
  void add(const TaskLosses& step, const Tensor& numbers);
  /// All back to the start.
  void reset() { numbers_.fill_(start_); }

  /// One scalar a task, the same objects from now on. Error: the number of tasks is not known.
  const std::vector<Tensor>& parameters();
  /// Those of the tasks of a step, P of them, in the dtype of the first losses, float32 at least,
  /// and on their device, where the parameters go and stay.
  std::vector<Tensor> learned(const TaskLosses& step);
  /// Adds to the .grad of the tasks of a step, [P], as backward() would.
  void add_gradient(const TaskLosses& step, const Eigen::VectorXd& gradient);

  /// [T], a copy.
  Tensor saved() const { return numbers_.detach().clone(); }
  /// What `saved` gave; of size 0, all begin anew. Error: another shape.
  void load(const Tensor& saved);

 private:
  void move_to(const Tensor& like);
  void drop_zeros_of_absent(const TaskLosses& step);

  std::string name_;
  double start_;
  Tensor numbers_;                  // [T], no graph
  bool has_type_ = false;           // that of the first losses
  std::vector<Tensor> parameters_;  // leaves that are views of it, once somebody asked for them
};

inline void TaskNumbers::set_task_count(int64_t tasks) {
  if (size() == tasks) return;
  if (tasks < 0) {
    throw Error("the number of tasks is {}, expected 0 (not known) or more", tasks);
  }
  if (size() != 0) {
    throw Error(
        "\"{}\" is kept for {} tasks, but there are {}; make the combiner with as many tasks as "
        "the losses are of",
        name_, size(), tasks);
  }
  numbers_ = torch::full({tasks}, start_, numbers_.options());
}

inline Eigen::VectorXd TaskNumbers::all() const {
  const Tensor values = numbers_.to(torch::kCPU, torch::kDouble).contiguous();
  Eigen::VectorXd all(values.numel());
  std::copy_n(values.data_ptr<double>(), values.numel(), all.data());
  return all;
}

inline Eigen::VectorXd TaskNumbers::present(const TaskLosses& step) {
  set_task_count(step.task_count);
  const Eigen::VectorXd numbers = all();
  Eigen::VectorXd of_step(step.size());
  for (Eigen::Index i = 0; i < of_step.size(); ++i) {
    of_step[i] = numbers[step.tasks[static_cast<size_t>(i)]];
  }
  return of_step;
}

inline void TaskNumbers::keep(const TaskLosses& step, const Eigen::VectorXd& numbers) {
  set_task_count(step.task_count);
  numbers_ = numbers_.to(torch::kCPU, torch::kDouble);
  for (Eigen::Index i = 0; i < numbers.size(); ++i) {
    numbers_.data_ptr<double>()[step.tasks[static_cast<size_t>(i)]] = numbers[i];
  }
}

inline void TaskNumbers::keep(const Eigen::VectorXd& all) {
  set_task_count(all.size());
  numbers_ = numbers_.to(torch::kCPU, torch::kDouble);
  std::copy_n(all.data(), all.size(), numbers_.data_ptr<double>());
}

inline void TaskNumbers::add(const TaskLosses& step, const Tensor& numbers) {
  set_task_count(step.task_count);
  move_to(numbers);
  if (step.size() == step.task_count) {
    numbers_.add_(numbers);
  } else {
    numbers_.index_add_(
        0, torch::tensor(step.tasks).to(numbers.device(), torch::kLong, /*non_blocking=*/true),
        numbers.to(numbers_.scalar_type()));
  }
}

inline const std::vector<Tensor>& TaskNumbers::parameters() {
  if (size() == 0) {
    throw Error(
        "\"{}\" is learned, one number a task, but how many tasks there are is not known yet: make "
        "the combiner with the tasks or their number, or call set_task_count, before its "
        "parameters go to an optimizer",
        name_);
  }
  while (static_cast<int64_t>(parameters_.size()) < size()) {
    const auto t = static_cast<int64_t>(parameters_.size());
    parameters_.push_back(numbers_.select(0, t).detach().requires_grad_());
  }
  return parameters_;
}

inline std::vector<Tensor> TaskNumbers::learned(const TaskLosses& step) {
  set_task_count(step.task_count);
  move_to(step.values.front());
  const std::vector<Tensor>& all = parameters();
  drop_zeros_of_absent(step);
  std::vector<Tensor> present;
  present.reserve(step.tasks.size());
  for (const int64_t t : step.tasks) present.push_back(all[static_cast<size_t>(t)]);
  return present;
}

inline void TaskNumbers::add_gradient(const TaskLosses& step, const Eigen::VectorXd& gradient) {
  set_task_count(step.task_count);
  const std::vector<Tensor>& all = parameters();
  drop_zeros_of_absent(step);
  const at::NoGradGuard no_grad;
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    Tensor& grad = all[static_cast<size_t>(step.tasks[static_cast<size_t>(i)])].mutable_grad();
    if (grad.defined()) {
      grad.add_(gradient[i]);
    } else {
      grad = torch::full({}, gradient[i], numbers_.options());
    }
  }
}

inline void TaskNumbers::load(const Tensor& saved) {
  const bool begins_anew = saved.dim() == 1 && saved.size(0) == 0;
  if (saved.dim() != 1 || (size() != 0 && !begins_anew && saved.size(0) != size())) {
    throw Error("the state has \"{}\" of shape {}, expected {}", name_, shape_text(saved),
                size() == 0 ? "one number a task" : shape_text(numbers_));
  }
  const at::NoGradGuard no_grad;
  if (begins_anew) return reset();
  if (size() == 0) numbers_ = torch::empty(saved.sizes(), numbers_.options());
  numbers_.copy_(saved);
}

inline void TaskNumbers::drop_zeros_of_absent(const TaskLosses& step) {
  if (step.size() == step.task_count) return;
  for (int64_t t = 0; t < size(); ++t) {
    Tensor& grad = parameters_[static_cast<size_t>(t)].mutable_grad();
    const bool absent = std::find(step.tasks.begin(), step.tasks.end(), t) == step.tasks.end();
    if (absent && grad.defined() && !grad.any().item<bool>()) grad.reset();
  }
}

/// The parameters, which an optimizer holds, stay the same objects and views of the numbers. Later
/// losses of another type no longer change theirs, since what it keeps beside them is of that type;
/// in less than float32 small steps, and sums of many losses, would be lost.
inline void TaskNumbers::move_to(const Tensor& like) {
  const auto type =
      has_type_ ? numbers_.scalar_type() : at::promote_types(like.scalar_type(), at::kFloat);
  has_type_ = true;
  if (numbers_.scalar_type() == type && numbers_.device() == like.device()) return;
  numbers_ = numbers_.to(like.device(), type);
  for (size_t t = 0; t < parameters_.size(); ++t) {
    parameters_[t].mutable_grad().reset();  // of the old type
    parameters_[t].set_data(numbers_.select(0, static_cast<int64_t>(t)));
  }
}

/// The entry of that name out of a combiner's state. Error: there is none; the text lists what
/// there is.
inline const Tensor& state_entry(const NamedTensors& state, const std::string& name) {
  if (const Tensor* entry = state.find(name)) return *entry;
  std::string names;
  for (const auto& item : state) names += (names.empty() ? "" : ", ") + item.key();
  throw Error("the state has no \"{}\", but {}; it is of another combiner", name,
              names.empty() ? "nothing" : names);
}

/// The entry of that name as a count. Error: there is none, or it is not one whole number from 0.
inline int64_t state_count(const NamedTensors& state, const std::string& name) {
  const Tensor& entry = state_entry(state, name);
  if (entry.numel() != 1 || !at::isIntegralType(entry.scalar_type(), /*includeBool=*/false) ||
      entry.item<int64_t>() < 0) {
    throw Error("the state has \"{}\" of shape {}, expected one whole number from 0", name,
                shape_text(entry));
  }
  return entry.item<int64_t>();
}

/// A state of these numbers, each by its name.
NamedTensors saved_numbers(const std::vector<const TaskNumbers*>& all);

/// Reads all of these numbers out of a state, or none. `others` names what else the state holds.
/// Error: an entry is missing, foreign, or of another number of tasks.
void load_numbers(const NamedTensors& state, const std::vector<TaskNumbers*>& all,
                  const std::vector<std::string>& others = {});

}  // namespace mtl
