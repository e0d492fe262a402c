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
  /// What stands for the rows of a batch that lacks a tensor. Ragged rows are filled up to the
  /// longest: targets with missing labels, others with 0.
  enum class Absent { missing_label, one, never };
  explicit Collector(Absent absent = Absent::missing_label) : absent_(absent) {}

  /// `samples`: rows of the batch.
  void add(const NamedTensors& tensors, int64_t samples);

  /// All rows by name. Error: a batch lacked a tensor of a type that knows no missing label.
  NamedTensors joined() const;

 private:
  struct Part {
    Tensor tensor;
    int64_t first;  // row
  };
  Absent absent_;
  NamedTensors firsts_;  // names in their order
  std::map<std::string, std::vector<Part>> parts_;
  int64_t rows_ = 0;
};

}  // namespace mtl
