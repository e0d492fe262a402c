#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// Where a process stands among those that work together.
struct ProcessPlace {
  int64_t rank = 0, count = 1;
  std::string host = "127.0.0.1";  // of process 0
  int port = 29500;                // where it listens
};

/// What processes can do together. Every process calls the same in the same order, with CPU tensors
/// of the same shapes and types. Error: another process died, hangs longer than the time-out, or
/// cannot be reached.
struct ProcessGroup {
  virtual ~ProcessGroup() = default;
  /// Begins to sum `tensor` over all processes, in place; done when the function returned has been
  /// called. The sum is the same to the bit everywhere.
  virtual std::function<void()> start_sum(Tensor tensor) = 0;
  /// Theirs by process.
  virtual std::vector<Tensor> gather(const Tensor& tensor) = 0;
  /// That of process 0 for all, in place.
  virtual void broadcast(Tensor tensor) = 0;
};

/// Meets the others; `address`: by which they reach this process, empty: what leads to process 0.
/// Error: not all came within the time-out; the library was built without Gloo.
std::unique_ptr<ProcessGroup> join_processes(const ProcessPlace& place,
                                             std::chrono::milliseconds timeout,
                                             std::string address);

/// Whether the library was built with Gloo.
bool can_join_processes();

}  // namespace mtl
