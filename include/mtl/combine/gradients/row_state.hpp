#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/combine/engine/rows.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// A tensor for every parameter and task of the registry, zero until set: what methods that follow
/// the rows over time keep. A task that is absent from a batch keeps its own.
class RowState {
 public:
  /// The tensor of parameter p and task t, shaped like `like`, in its type, float32 at least: means
  /// over many steps would be lost in less. Error: it was kept with another shape.
  Tensor& at(size_t p, int64_t t, const Tensor& like);
  /// Error: as of `at`, for all rows of these tasks before anything is changed.
  void check(const Rows& rows, const std::vector<int64_t>& tasks) const;
  bool empty() const { return rows_.empty(); }

  /// Entries "<prefix>.<parameter>.<task>".
  void save(NamedTensors& state, const std::string& prefix) const;
  /// Error: such an entry whose name has no two numbers.
  void load(const NamedTensors& state, const std::string& prefix);
  /// The names of such entries in a state.
  static std::vector<std::string> names(const NamedTensors& state, const std::string& prefix);

 private:
  Rows rows_;
};

}  // namespace mtl
