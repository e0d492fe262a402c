#pragma once

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// Multiply-adds of one operation for each thread that shares it. Threads wait for each other at
/// every operation, so an operation has to outlast the wait also where another program uses a
/// processor. Measured beside a compiler on two cores, a step with two threads over one with one:
///
///     multiply-adds an operation    1e6        1e7      3e7        6e7
///     threads that spin             60 to 180  20 to 30 8 to 15    5 to 20
///     OMP_WAIT_POLICY=passive       5 to 20    2        1.2 to 1.4 .9 to 1.1
inline constexpr double multiply_adds_a_thread = 3e7;

/// How many threads pay for a network with these parameters when each of their matrices meets
/// `rows` rows at a time: the samples of a batch; for convolutions, times the positions of the
/// output. From the work alone, and never more than the processors this program may use, so the
/// number is the same at every start. Changes nothing; a program that follows it says so once:
///
///     torch::set_num_threads(mtl::threads_that_pay(model->parameters(), batch_size));
///
/// Where several threads pay, start the program with OMP_WAIT_POLICY=passive in the environment:
/// OpenMP's threads otherwise spin while they wait, which takes the processor from whom they wait
/// for as soon as another program runs. OpenMP reads it before main(), so no call can set it.
/// Error: rows below 1.
inline int threads_that_pay(const std::vector<Tensor>& parameters, int64_t rows) {
  if (rows < 1) throw Error("threads_that_pay: found {} rows, expected at least 1", rows);
  double total = 0, squares = 0;
  for (const Tensor& parameter : parameters) {
    if (parameter.dim() < 2) continue;  // an offset costs nothing
    const auto work = static_cast<double>(parameter.numel()) * static_cast<double>(rows);
    total += work;
    squares += work * work;
  }
  if (total == 0) return 1;
  // The operation in which the average multiply-add is done.
  const double operation = squares / total;
  const auto processors = static_cast<double>(std::max(1U, std::thread::hardware_concurrency()));
  return static_cast<int>(std::clamp(operation / multiply_adds_a_thread, 1.0, processors));
}

}  // namespace mtl
