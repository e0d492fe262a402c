#include "mtl/train/trainer.hpp"

#include <torch/nn/utils/clip_grad.h>

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "faults.hpp"
#include "loss_meter.hpp"
#include "mtl/core/error.hpp"
#include "mtl/sharing/task_losses.hpp"
#include "mtl/train/validation.hpp"
#include "mtl/train/watch.hpp"

namespace mtl {
namespace {

void call(std::vector<Callback>& callbacks, std::function<void(TrainState&)> Callback::*hook,
          TrainState& state) {
  for (Callback& callback : callbacks)
    if (callback.*hook) (callback.*hook)(state);
}

/// zero_grad(set_to_none = true), which LibTorch 1 does not have.
void drop_gradients(torch::optim::Optimizer& optimizer) {
  for (auto& group : optimizer.param_groups())
    for (Tensor& parameter : group.params()) parameter.mutable_grad().reset();
}

}  // namespace

/// One call of fit().
class Trainer::Loop {
 public:
  Loop(Trainer& trainer, LoaderRef train, const LoaderRef* valid, std::vector<Callback> callbacks)
      : trainer_(trainer),
        options_(trainer.options_),
        train_(std::move(train)),
        valid_(valid),
        callbacks_(std::move(callbacks)),
        state_{trainer.model_,
               trainer.optimizer_,
               trainer.combiner_,
               callbacks_,
               trainer.options_.epochs,
               train_.batches(),
               0,
               0,
               0,
               History{result_names(trainer.model_.tasks()), {}},
               nullptr,
               {}},
        parameters_(trainer.model_.parameters()) {
    state_.has_validation = valid != nullptr;
    if (state_.batches < 1) throw Error("fit: the training loader has no batch");
  }

  TrainingRun run() {
    const auto start = std::chrono::steady_clock::now();
    try {
      call(callbacks_, &Callback::before_fit, state_);
      call(callbacks_, &Callback::on_fit_begin, state_);
      while (!state_.stopped() &&
             static_cast<int64_t>(state_.history.epochs.size()) < options_.epochs)
        epoch();
      if (!state_.stopped())
        state_.stop_reason = fmt::format("all {} epochs done", options_.epochs);
    } catch (...) {
      end_of_fit();
      throw;
    }
    end_of_fit();
    TrainingRun run;
    run.history = std::move(state_.history);
    run.stop_reason = std::move(state_.stop_reason);
    run.best_epoch = run.history.best_epoch();
    run.steps = state_.step;
    run.faulty_batches = faulty_batches_;
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return run;
  }

 private:
  void end_of_fit() {
    call(callbacks_, &Callback::on_fit_end, state_);
    state_.rates.put_back();
  }

  void epoch() {
    state_.epoch = static_cast<int64_t>(state_.history.epochs.size()) + 1;
    state_.batch = 0;
    call(callbacks_, &Callback::on_epoch_begin, state_);
    EpochRecord record;
    record.epoch = state_.epoch;
    record.learning_rate = trainer_.optimizer_.param_groups().front().options().get_lr();
    LossMeter meter(trainer_.model_.tasks().size());
    trainer_.model_.train();
    train_.start_epoch(state_.epoch - 1);
    first_batch_ = Batch();
    Batch batch;
    while (read(batch)) {
      ++state_.batch;
      ++state_.step;
      call(callbacks_, &Callback::on_step_begin, state_);
      step(batch, meter);
      if (state_.stopped()) return;  // in the middle of an epoch: it does not count
    }
    trainer_.combiner_.end_epoch();
    record.train.losses = meter.means();
    record.train.total = total_of(trainer_.combiner_, trainer_.model_.tasks(), record.train.losses);
    for (size_t t = 0; t < record.train.losses.size(); ++t)
      if (std::isinf(record.train.losses[t]))
        throw Error("epoch {}, task \"{}\": a loss was infinite", state_.epoch,
                    state_.history.tasks[t]);
    if (valid_ != nullptr) record.valid = validate(trainer_.model_, trainer_.combiner_, *valid_);
    state_.history.add(std::move(record));
    call(callbacks_, &Callback::on_epoch_end, state_);
    call(callbacks_, &Callback::after_epoch, state_);
  }

  bool read(Batch& batch) {
    if (!train_.next(batch)) return false;
    if (!options_.device.is_cpu()) batch = to(batch, options_.device);
    return true;
  }

  void step(const Batch& batch, LossMeter& meter) {
    Model& model = trainer_.model_;
    drop_gradients(trainer_.optimizer_);
    NamedTensors predictions = model.forward(batch.inputs);
    TaskLosses losses = task_losses(model, predictions, batch);
    losses.another_batch = [this] { return another_batch(); };
    losses.same_batch = [this, &batch] { return losses_of(batch); };
    if (state_.batch == 1) first_batch_ = batch;
    state_.losses = &losses;
    if (const int64_t faulty = meter.add(losses); faulty >= 0) {
      const std::string& task = losses.names[static_cast<size_t>(faulty)];
      return on_fault(fmt::format("task \"{}\": the loss is NaN or infinite: {}", task,
                                  explain_loss(model, batch, predictions, task)));
    }
    trainer_.combiner_.backward(losses, model);
    if (options_.max_grad_norm > 0) {
      const double norm = torch::nn::utils::clip_grad_norm_(parameters_, options_.max_grad_norm);
      if (!std::isfinite(norm)) return on_fault(explain_gradient(model, batch));
    }
    call(callbacks_, &Callback::on_gradients, state_);
    trainer_.optimizer_.step();
    if (trainer_.combiner_.wants_losses_after_step()) {
      torch::NoGradGuard no_grad;
      trainer_.combiner_.after_step(losses_of(batch));
    }
    call(callbacks_, &Callback::on_step_end, state_);
    state_.losses = nullptr;
  }

  TaskLosses losses_of(const Batch& batch) {
    return task_losses(trainer_.model_, trainer_.model_.forward(batch.inputs), batch);
  }

  void on_fault(const std::string& what) {
    if (options_.faulty_batch == FaultyBatch::stop)
      throw Error(
          "epoch {}, batch {} of {}: {}. Mend the data, lower the learning rate, or give "
          "FaultyBatch::skip.",
          state_.epoch, state_.batch, state_.batches, what);
    ++faulty_batches_;
    drop_gradients(trainer_.optimizer_);
    state_.losses = nullptr;
  }

  /// For combiners that look at several batches in a step. Past the end of the epoch its first
  /// batch serves again.
  TaskLosses another_batch() {
    Batch batch;
    if (read(batch))
      ++state_.batch;
    else
      batch = first_batch_;
    return losses_of(batch);
  }

  Trainer& trainer_;
  const TrainerOptions& options_;
  LoaderRef train_;
  const LoaderRef* valid_;
  std::vector<Callback> callbacks_;
  TrainState state_;
  std::vector<Tensor> parameters_;  // of the model, walked once
  Batch first_batch_;
  int64_t faulty_batches_ = 0;
};

Trainer::Trainer(Tag, Model& model, torch::optim::Optimizer& optimizer, Combiner& combiner,
                 TrainerOptions options)
    : model_(model), optimizer_(optimizer), combiner_(combiner), options_(options) {
  if (options.epochs < 1)
    throw Error("Trainer: found epochs {}, expected at least 1", options.epochs);
  if (!(options.max_grad_norm >= 0))
    throw Error("Trainer: found max_grad_norm {}, expected 0 (off) or more", options.max_grad_norm);
  std::vector<Tensor> learnable = combiner.parameters();
  if (!learnable.empty())
    optimizer.add_param_group(torch::optim::OptimizerParamGroup(std::move(learnable)));
}

TrainingRun Trainer::run(LoaderRef train, const LoaderRef* valid, std::vector<Callback> callbacks) {
  return Loop(*this, std::move(train), valid, std::move(callbacks)).run();
}

std::string TrainingRun::brief() const {
  if (history.epochs.empty())
    return fmt::format("no epoch completed in {:.1f} s: {}", seconds, stop_reason);
  const EpochRecord& best = history.epochs[static_cast<size_t>(best_epoch - 1)];
  return fmt::format("{} epochs in {:.1f} s ({}); best epoch {} with {} loss {:.4f}", epochs(),
                     seconds, stop_reason, best_epoch,
                     history.has_validation() ? "validation" : "training", watched_total(best));
}

std::string TrainingRun::report() const {
  std::string text = brief() + "\n";
  if (faulty_batches > 0) text += fmt::format("{} faulty batches were skipped\n", faulty_batches);
  if (history.epochs.empty()) return text;
  for (size_t t = 0; t < history.tasks.size(); ++t) {
    text += fmt::format("{}\n", history.tasks[t]);
    for (const auto& [title, epoch] :
         {std::pair{"best", best_epoch}, std::pair{"last", epochs()}}) {
      const EpochRecord& record = history.epochs[static_cast<size_t>(epoch - 1)];
      text += fmt::format("  {} epoch {:>4}  training loss {:.6g}", title, epoch,
                          record.train.losses[t]);
      if (!record.valid.losses.empty()) {
        text += fmt::format("  validation loss {:.6g}", record.valid.losses[t]);
        for (size_t m = 0; m < record.valid.metrics[t].size(); ++m)
          text += fmt::format("  {} {:.6g}", history.metrics[t][m], record.valid.metrics[t][m]);
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace mtl
