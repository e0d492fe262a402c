#include "mtl/train/train_state.hpp"

#include <algorithm>

namespace mtl {

void TrainState::freeze(std::string_view task) {
  model.tasks().at(task);
  if (!is_frozen(task)) frozen.push_back({std::string(task), epoch});
}

bool TrainState::is_frozen(std::string_view task) const {
  return std::any_of(frozen.begin(), frozen.end(),
                     [task](const FrozenTask& done) { return done.name == task; });
}

}  // namespace mtl
