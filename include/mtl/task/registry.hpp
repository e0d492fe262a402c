#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string_view>

#include "mtl/task/task.hpp"

namespace mtl {

/// The tasks of a model, in the order of registration. Copies share heads.
///
///     TaskRegistry tasks{{.name = "temperature", .head = nn::LinearHead(8, 1), .loss = Huber{}},
///                        {.name = "weather", .head = nn::LinearHead(8, 5), .loss =
///                        CrossEntropy{}}};
class TaskRegistry {
 public:
  TaskRegistry() = default;
  /// Adds one after the other. Error: as add().
  TaskRegistry(std::initializer_list<Task> tasks) {
    for (const Task& task : tasks) add(task);
  }

  /// Adds a task. Error: no name, a name with a dot (it becomes part of parameter names), a name
  /// taken, no loss, two metrics of one name, a metric called "loss", one of logits beside a loss
  /// of probabilities.
  Task& add(Task task);

  /// The task of that name. Error: none; the text lists those that are there.
  const Task& at(std::string_view name) const {
    return tasks_[static_cast<size_t>(index_of(name))];
  }
  const Task& operator[](int64_t index) const { return tasks_[static_cast<size_t>(index)]; }
  int64_t index_of(std::string_view name) const;
  bool contains(std::string_view name) const;

  int64_t size() const { return static_cast<int64_t>(tasks_.size()); }
  bool empty() const { return tasks_.empty(); }
  auto begin() const { return tasks_.begin(); }
  auto end() const { return tasks_.end(); }

 private:
  std::deque<Task> tasks_;  // a deque, so that what add() returned stays valid
};

}  // namespace mtl
