#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <string>

#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"
#include "mtl/train/train_state.hpp"

// All that a run changes as it goes on and a checkpoint holds as tensors: model, optimizer,
// combiner, what callbacks remember, torch's generators.

namespace mtl {

/// Shares memory with the run where it can.
NamedTensors run_memory(const TrainState& state);

/// Puts it back. Error, and everything as it was: a part of it is not this run's.
void set_run_memory(TrainState& state, const NamedTensors& memory);

/// Runs `act`; whatever it throws becomes an Error that says where.
template <class Act>
void named(const std::string& where, Act act) {
  try {
    act();
  } catch (const Error& error) {
    throw Error("{}: {}", where, error.what());
  } catch (const c10::Error& error) {
    throw Error("{}: {}", where, error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw Error("{}: {}", where, error.what());
  }
}

}  // namespace mtl
