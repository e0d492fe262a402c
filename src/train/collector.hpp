#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// Collects tensors by name, batch after batch, on the CPU.
class Collector {
 public:
  /// `samples`: rows of the batch.
  void add(const NamedTensors& tensors, int64_t samples);

  /// All rows by name. Where a batch lacked a tensor its rows are missing labels. Error: the type
  /// of the tensor knows none.
  NamedTensors joined() const;

 private:
  struct Part {
    Tensor tensor;
    int64_t first;  // row
  };
  NamedTensors firsts_;  // names in their order
  std::map<std::string, std::vector<Part>> parts_;
  int64_t rows_ = 0;
};

}  // namespace mtl
