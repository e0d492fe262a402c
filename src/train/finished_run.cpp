#include "finished_run.hpp"

#include <utility>

#include "mtl/train/callback.hpp"
#include "run_identity.hpp"

namespace mtl {

TrainingRun finished_run(TrainState&& state, const TrainerOptions& options,
                         std::vector<std::string> untrained, std::vector<DrawnSource> drawn) {
  TrainingRun run;
  run.made_of = train_detail::settings_of(state, options);
  run.history = std::move(state.history);
  run.stop_reason = *state.stop_reason;
  run.stop_text = std::move(state.stop_text);
  run.best_epoch = run.history.best_epoch();
  run.steps = state.step;
  run.faulty_batches = state.faulty_batches;
  run.faulty_rows = state.faulty_rows;
  run.first_fault = std::move(state.first_fault);
  run.overflowed_steps = state.loss_scale.overflows;
  run.unlabelled_batches = state.unlabelled_batches;
  run.frozen = std::move(state.frozen);
  run.untrained = std::move(untrained);
  run.drawn = std::move(drawn);
  for (DrawnSource& source : run.drawn) source.batches *= run.epochs();
  return run;
}

}  // namespace mtl
