#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/io/json.hpp"
#include "mtl/train/callback.hpp"
#include "mtl/train/loader_ref.hpp"
#include "mtl/train/train_state.hpp"
#include "mtl/train/trainer.hpp"

// What a run is made of: tasks, model, optimizer, combiner, data and callbacks. A checkpoint keeps
// it, and a run goes on only from a checkpoint of its own kind.

namespace mtl::train_detail {

/// Callbacks that a resumed run must have as well.
std::vector<const Callback*> with_memory(const TrainState& state);

/// What must be the same where a run goes on: a name and some texts each.
io::Json made_of(const TrainState& state);

/// What a run was made of, for people: TrainingRun::made_of.
std::vector<std::pair<std::string, std::string>> settings_of(const TrainState& state,
                                                             const TrainerOptions& options);

/// What a run remembers of a loader.
std::string data_text(const LoaderRef& loader);

/// Error: the first part that differs, behind what `found` it, with whose `now` is and what to do.
/// Of a callback only what both runs have: a longer run knows its rates further on.
void compare(const io::Json& then, const io::Json& now,
             std::string_view found = "it is of another run", std::string_view whose = "this run",
             std::string_view remedy = "give the run what it had, or begin anew without `resume`");

}  // namespace mtl::train_detail
