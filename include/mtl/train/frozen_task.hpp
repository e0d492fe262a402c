#pragma once

#include <cstdint>
#include <string>

namespace mtl {

/// A task that left the training before its end (TrainState::freeze).
struct FrozenTask {
  std::string name;
  int64_t epoch;  ///< in which it was frozen, from 1
};

}  // namespace mtl
