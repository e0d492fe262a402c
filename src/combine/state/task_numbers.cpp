#include "mtl/combine/state/task_numbers.hpp"

namespace mtl {

NamedTensors saved_numbers(const std::vector<const TaskNumbers*>& all) {
  NamedTensors state;
  for (const TaskNumbers* numbers : all) state.insert(numbers->name(), numbers->saved());
  return state;
}

void load_numbers(const NamedTensors& state, const std::vector<TaskNumbers*>& all,
                  const std::vector<std::string>& others) {
  std::vector<TaskNumbers> loaded;
  int64_t tasks = 0;
  for (const TaskNumbers* numbers : all) {
    const Tensor& entry = state_entry(state, numbers->name());
    TaskNumbers& copy = loaded.emplace_back(*numbers);
    if (tasks != 0 && copy.size() == 0 && entry.numel() != 0) copy.set_task_count(tasks);
    copy.load(entry);
    tasks = std::max(tasks, copy.size());
  }
  for (const std::string& name : others) state_entry(state, name);
  for (const auto& item : state) {
    const bool known = std::find(others.begin(), others.end(), item.key()) != others.end() ||
                       std::any_of(all.begin(), all.end(), [&](const TaskNumbers* numbers) {
                         return numbers->name() == item.key();
                       });
    if (!known) {
      throw Error("the state has \"{}\", which this combiner does not keep; it is of another one",
                  item.key());
    }
  }
  for (size_t i = 0; i < all.size(); ++i) all[i]->load(state_entry(state, all[i]->name()));
}

}  // namespace mtl
