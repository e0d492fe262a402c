#include "mtl/train/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "distributed/joint_checkpoints.hpp"
#include "distributed/joint_run.hpp"
#include "distributed/joint_step.hpp"
#include "epoch_reader.hpp"
#include "faults.hpp"
#include "finished_run.hpp"
#include "frozen_tasks.hpp"
#include "gradient_norm.hpp"
#include "hook_calls.hpp"
#include "loss_meter.hpp"
#include "memory_layout.hpp"
#include "mtl/combine/faulty_step.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "optimizer_groups.hpp"
#include "run_identity.hpp"
#include "run_memory.hpp"
#include "step_losses.hpp"
#include "step_memory.hpp"
#include "validation_pass.hpp"

namespace mtl {

/// One call of fit().
class Trainer::Loop {
 public:
  Loop(Trainer& trainer, LoaderRef train, const LoaderRef* valid, std::vector<Callback> callbacks)
      : model_(*trainer.model_),
        optimizer_(*trainer.optimizer_),
        combiner_(*trainer.combiner_),
        options_(trainer.options_),
        train_(std::move(train)),
        joint_(options_.processes),
        reader_(train_, "the training loader", options_.device, options_.accumulate,
                options_.channels_last, options_.processes),
        callbacks_(std::move(callbacks)),
        hooks_(callbacks_),
        state_{.model = model_,
               .optimizer = optimizer_,
               .combiner = combiner_,
               .callbacks = callbacks_,
               .epochs = options_.epochs,
               .batches = reader_.steps(),
               .history = History{result_names(model_.tasks()), {}},
               .train_data = train_detail::data_text(train_) + steps_text(options_),
               .valid_data = valid == nullptr ? "none" : train_detail::data_text(*valid),
               .has_validation = valid != nullptr,
               .writes = !joint_.several() || joint_.processes()->is_first(),
               .loss_scale = loss_scale_of(options_)},
        parameters_(model_.parameter_sets()),
        held_(held_parameters(optimizer_, model_)),
        memory_(parameters_.buffers, options_.device,
                options_.faulty_batch == FaultyBatch::skip || state_.loss_scale.options ? &combiner_
                                                                                        : nullptr),
        look_buffers_(parameters_.buffers) {
    if (options_.channels_last) lay_channels_last(model_);
    if (valid != nullptr)
      EpochReader(valid_.emplace(*valid), "the validation loader", options_.device);
  }

  TrainingRun run() {
    const auto start = std::chrono::steady_clock::now();
    std::exception_ptr failure;
    try {
      begin();
      while (!state_.stopped() && epochs_done() < options_.epochs)
        if (nothing_learns() && !within_)
          state_.stop(StopReason::early_stopping, "every task is frozen");
        else
          epoch();
      if (!state_.stopped())
        state_.stop(StopReason::epochs_done, fmt::format("all {} epochs done", options_.epochs));
    } catch (const std::exception& error) {
      failure = std::current_exception();
      state_.stop(StopReason::error, error.what());
    } catch (...) {
      failure = std::current_exception();
      state_.stop(StopReason::error, "an exception that is no std::exception");
    }
    if (failure) joint_.abandon();
    end(failure);
    if (failure) std::rethrow_exception(failure);
    TrainingRun run =
        finished_run(std::move(state_), options_, not_held(model_, held_), train_.per_epoch());
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return run;
  }

 private:
  int64_t epochs_done() const { return static_cast<int64_t>(state_.history.epochs.size()); }
  bool nothing_learns() const { return FrozenTasks::nothing_learns(state_); }

  std::string place() const {
    return fmt::format("epoch {}, batch {} of {}", state_.epoch, state_.batch, state_.batches);
  }

  void begin() {
    const Checkpointing checkpointing = checkpointing_of(options_.checkpoint, callbacks_);
    if (joint_.several()) require_one_run(*joint_.processes(), state_, options_, checkpointing);
    if (!checkpointing.directory.empty()) {
      checkpoints_.emplace(checkpointing, state_, joint_);
      if (checkpointing.resume) checkpoints_->resume(state_, within_);
    }
    if (joint_.several()) begin_together(*joint_.processes(), state_);
    hooks_.begin(state_);
    joint_.agree(state_);
    if (checkpoints_ && !state_.resumed) checkpoints_->begin_anew(state_);
  }

  void end(std::exception_ptr& failure) {
    state_.losses = nullptr;
    hooks_.end(state_, failure);
    state_.rates.put_back();
  }

  /// To the beginning of the next epoch, or to the place within it where the run was cut off.
  EpochPlace start_epoch() {
    const std::optional<WithinEpoch> cut_off = std::exchange(within_, std::nullopt);
    const int64_t batch = std::exchange(state_.batch, 0);
    const int64_t step =
        std::exchange(state_.step, cut_off ? cut_off->place.steps_before : state_.step);
    state_.epoch = epochs_done() + 1;
    hooks_.call(&Callback::on_epoch_begin, state_);
    held_ = held_parameters(optimizer_, model_);  // a callback may have added a group
    if (options_.max_task_grad_norm > 0)
      by_task_.emplace(reached_parameters(model_, held_), parameters_.shared);
    EpochPlace place(model_.tasks().size());
    place.steps_before = state_.step;
    place.faulty_before = state_.faulty_batches;
    place.overflows_before = state_.loss_scale.overflows;
    place.learning_rates = state_.rates.now();
    model_.train();
    frozen_.apply(state_, /*in_training_mode=*/true);
    if (cut_off) set_default_generator_state(cut_off->place.generator);
    if (checkpoints_) place.generator = default_generator_state();
    reader_.start(state_.epoch - 1);
    state_.batches = reader_.steps();
    first_batch_.clear();
    if (!cut_off) return place;
    if (reader_.next(first_batch_)) first_batch_ = without_left_out_rows(std::move(first_batch_));
    reader_.skip(batch - 1);
    // What callbacks did as the epoch began stays where it has no memory, such as a frozen layer.
    set_run_memory(state_, cut_off->memory);
    if (joint_.several()) take_generator(*joint_.processes(), cut_off->memory);
    state_.batch = batch;
    state_.step = step;
    return cut_off->place;
  }

  void epoch() {
    EpochPlace place = start_epoch();
    StepBatch batch;
    while (reader_.next(batch)) {
      ++state_.batch;
      ++state_.step;
      if (state_.batch == 1)
        for (const Batch& part : batch) check_target_names(model_, part, "the training loader");
      batch = without_left_out_rows(std::move(batch));
      hooks_.call(&Callback::on_step_begin, state_);
      place.made += step(batch, place.meter);
      joint_.agree(state_);
      if (checkpoints_ && checkpoints_->due(state_)) checkpoints_->save(state_, &place);
      if (state_.stopped()) return joint_.meet(model_);  // it does not count
    }
    if (place.made == 0 && nothing_learns()) return;  // frozen before the first step: no epoch
    if (place.made == 0 && state_.loss_scale.overflows == place.overflows_before)
      throw Error("epoch {}: no batch led to a step; {}", state_.epoch,
                  state_.faulty_batches > place.faulty_before
                      ? "faulty ones were skipped, the first: " + state_.first_fault
                  : state_.frozen.empty() ? "none has a label of any task"
                                          : "none has a label of a task that is not frozen");
    combiner_.end_epoch();
    joint_.meet(model_);
    hooks_.call(&Callback::on_steps_end, state_);
    EpochRecord record;
    record.epoch = state_.epoch;
    record.learning_rate = place.learning_rates.front();
    if (place.learning_rates.size() > 1) record.group_rates = place.learning_rates;
    record.train.losses = place.meter.means();
    record.train.total = total_of(&combiner_, model_.tasks(), record.train.losses);
    if (valid_) record.valid = validated();
    state_.history.add(std::move(record));
    hooks_.call(&Callback::on_epoch_end, state_);
    joint_.agree(state_);
    if (checkpoints_) checkpoints_->save(state_);
  }

  SplitRecord validated() {
    try {
      ValidationPass pass =
          validation_pass(model_, &combiner_, *valid_, options_.faulty_batch, joint_.processes());
      state_.faulty_rows += pass.faulty_rows;
      if (state_.first_fault.empty() && !pass.first_fault.empty())
        state_.first_fault = fmt::format("epoch {}, {}", state_.epoch, pass.first_fault);
      return std::move(pass.record);
    } catch (const Error& error) {
      throw Error("epoch {}: {}", state_.epoch, error.what());
    }
  }

  /// False: no update came from this batch, and everything is as if it had not been there.
  bool step(const StepBatch& batch, LossMeter& meter) {
    frozen_.apply(state_);
    memory_.remember();
    drop_gradients(held_, parameters_);
    if (state_.batch == 1) first_batch_ = batch;
    StepForward seen;
    std::vector<double> values;
    std::string fault;
    try {
      fault = find_gradients(batch, seen, values);
    } catch (const FaultyStep& error) {
      fault = error.what();
    } catch (...) {
      undo();
      rethrow_at(place());
    }
    if (seen.losses.size() == 0 || !fault.empty()) {
      undo();
      if (fault.empty())
        ++state_.unlabelled_batches;
      else if (!gradient_is_bad_ || !state_.loss_scale.overflowed())
        on_fault(fault);
      return false;
    }
    state_.loss_scale.made_step();
    state_.losses = &seen.losses;
    try {
      hooks_.call(&Callback::on_gradients, state_);
      joint_.share_changes(held_, state_);
    } catch (...) {
      undo();
      throw;
    }
    frozen_.drop_gradients(parameters_);
    optimizer_.step();
    meter.add(seen.losses, values);
    if (combiner_.wants_losses_after_step()) look_again(batch);
    hooks_.call(&Callback::on_step_end, state_);
    state_.losses = nullptr;
    return true;
  }

  /// Fills `.grad`. Returns what is wrong with the batch; empty: nothing.
  std::string find_gradients(const StepBatch& batch, StepForward& seen,
                             std::vector<double>& values) {
    gradient_is_bad_ = false;
    seen = forward_of(batch);
    TaskLosses& losses = seen.losses;
    if (losses.size() == 0) return {};
    const torch::Device device = losses.values.front().device();
    const auto faulty_loss = [&] { return joint_.explain(model_, batch, seen, values); };
    // On a device the losses are read together with what says whether the gradients are finite, so
    // that the step waits once; on the CPU before anything is made of them.
    if (device.is_cpu()) {
      values = numbers_of(loss_scalars(losses));
      if (std::string fault = faulty_loss(); !fault.empty()) return fault;
    }
    losses.another_batch = [this] { return another_batch(); };
    losses.same_batch = [this, &batch] { return look_at(batch); };
    try {
      combiner_.backward(losses, parameters_);
    } catch (const FaultyStep&) {
      values = numbers_of(loss_scalars(losses));
      if (std::string fault = faulty_loss(); !fault.empty()) return fault;
      gradient_is_bad_ = true;
      throw;
    }
    bool finite = true;
    if (device.is_cpu()) {
      finite = options_.max_grad_norm > 0 ? clip_gradients(held_, options_.max_grad_norm)
                                          : gradients_are_finite(held_);
    } else {
      std::vector<Tensor> unread = loss_scalars(losses);
      unread.push_back(clip_unread(held_, options_.max_grad_norm, device));
      values = numbers_of(unread);
      finite = std::isfinite(values.back());
      values.pop_back();
      if (std::string fault = faulty_loss(); !fault.empty()) return fault;
    }
    seen.predictions.clear();  // the optimizer's step needs the memory
    if (finite) return {};
    gradient_is_bad_ = true;
    memory_.put_back();
    return explain_gradient(model_, batch);
  }

  void undo() {
    memory_.put_back();
    drop_gradients(held_, parameters_);
  }

  void on_fault(const std::string& found) {
    std::string what;
    try {
      what = joint_.agreed_fault(found);
      check_parameters(model_, combiner_);
    } catch (const Error& error) {
      throw Error("{}: {}", place(), error.what());
    }
    const std::string text = fmt::format("{}: {}", place(), what);
    if (options_.faulty_batch == FaultyBatch::stop)
      throw Error(
          "{}. Mend the data, lower the learning rate, or give FaultyBatch::skip to leave such "
          "batches out",
          text);
    ++state_.faulty_batches;
    if (state_.first_fault.empty()) state_.first_fault = text;
  }

  StepForward forward_of(const StepBatch& batch) {
    StepForward seen = joint_.forward(model_, batch, held_, frozen_.left_out(), options_.arithmetic,
                                      state_.loss_scale.value);
    if (options_.max_task_grad_norm > 0 && torch::GradMode::is_enabled())
      seen.losses = clipped_by_task(seen.losses, *by_task_, options_.max_task_grad_norm);
    return seen;
  }

  /// The losses of a batch that has been counted: it leaves running statistics as they are.
  TaskLosses look_at(const StepBatch& batch) {
    look_buffers_.remember();
    TaskLosses losses = forward_of(batch).losses;
    look_buffers_.put_back();
    return losses;
  }

  void look_again(const StepBatch& batch) {
    torch::NoGradGuard no_grad;
    const TaskLosses losses = look_at(batch);
    const int64_t at = first_not_finite(numbers_of(losses.values));
    if (at >= 0)
      return on_fault(fmt::format("task \"{}\": after the step the loss is NaN or infinite",
                                  losses.names[static_cast<size_t>(at)]));
    try {
      combiner_.after_step(losses);
    } catch (const FaultyStep& error) {
      on_fault(fmt::format("after the step: {}", error.what()));
    }
  }

  /// For combiners that look at several batches in a step. Past the end of the epoch its first
  /// batch serves again.
  TaskLosses another_batch() {
    StepBatch batch;
    if (!reader_.next(batch)) return look_at(first_batch_);
    ++state_.batch;
    return forward_of(without_left_out_rows(std::move(batch))).losses;
  }

  Model& model_;
  torch::optim::Optimizer& optimizer_;
  Combiner& combiner_;
  const TrainerOptions& options_;
  LoaderRef train_;
  JointStep joint_;
  EpochReader reader_;
  std::optional<LoaderRef> valid_;
  bool gradient_is_bad_ = false;  // of the step under way, though its losses are finite
  std::vector<Callback> callbacks_;
  HookCalls hooks_;
  TrainState state_;
  const Parameters& parameters_;
  std::vector<Tensor> held_;  // what the optimizer trains: zeroed, clipped and moved
  std::optional<AccumulatedLosses> by_task_;  // for max_task_grad_norm
  StepMemory memory_;
  BufferMemory look_buffers_;
  FrozenTasks frozen_;
  std::optional<JointCheckpoints> checkpoints_;
  std::optional<WithinEpoch> within_;  // where a resumed run goes on
  StepBatch first_batch_;
};

Trainer::Trainer(ModelRef model, Kept<torch::optim::Optimizer> optimizer, Kept<Combiner> combiner,
                 TrainerOptions options)
    : model_(std::move(model)),
      optimizer_(std::move(optimizer)),
      combiner_(std::move(combiner)),
      options_(options) {
  options.check_options();
  check_optimizer(*optimizer_, *model_);
  combiner_->set_task_count(model_->tasks().size());
  join(*combiner_, *optimizer_);
}

TrainingRun Trainer::run(LoaderRef train, const LoaderRef* valid, std::vector<Callback> callbacks) {
  return Loop(*this, std::move(train), valid, std::move(callbacks)).run();
}

}  // namespace mtl
