#include "epoch_reader.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "distributed/joint_run.hpp"
#include "memory_layout.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

StepBatch without_left_out_rows(StepBatch batch) {
  for (Batch& part : batch) part = without_left_out_rows(std::move(part));
  std::erase_if(batch, [](const Batch& part) {  // what has no other rows
    return part.sample_weights.defined() && !part.sample_weights.any().item<bool>();
  });
  return batch;
}

EpochReader::EpochReader(LoaderRef& loader, std::string_view what, torch::Device device,
                         int64_t parts, bool channels_last, const Processes* processes)
    : loader_(loader),
      what_(what),
      device_(device),
      parts_(parts),
      channels_last_(channels_last),
      processes_(processes) {
  if (loader.batches() < 1) throw Error("{} has no batch", what);
}

void EpochReader::start(int64_t epoch) {
  draw_together(processes_, [&] { loader_.start_epoch(epoch); });
  epoch_ = epoch;
  read_ = 0;
  batches_ = loader_.batches();
}

bool EpochReader::next(Batch& batch) {
  batch = Batch();  // a loader of one's own may leave out what this batch has not
  const bool shared = processes_ != nullptr && processes_->several();
  const bool found = shared ? loader_.next_share(batch, *processes_) : loader_.next(batch);
  if (found && read_ == batches_)
    throw Error(
        "{} gave more than the {} batches that it says an epoch has. If a callback reads it during "
        "the epoch (predict, validate), give that a loader of its own",
        what_, batches_);
  if (!found && read_ < batches_)
    throw Error(
        "{} gave {} of {} batches in its epoch {}. A loader begins anew at start_epoch(e), for any "
        "e; if a callback reads it during the epoch (predict, validate), give that a loader of its "
        "own; pictures that cannot be used, of which a batch may be left without any, are left out "
        "before (pictures.rows(pictures.usable()))",
        what_, read_, batches_, epoch_);
  if (!found) return false;
  ++read_;
  if (!device_.is_cpu()) batch = to(batch, device_);
  return true;
}

bool EpochReader::next(StepBatch& batch) {
  batch.clear();
  Batch part;
  while (std::ssize(batch) < parts_ && next(part))
    batch.push_back(channels_last_ ? with_channels_last(std::move(part)) : std::move(part));
  return !batch.empty();
}

void EpochReader::skip(int64_t count) {
  const int64_t batches = std::min(count * parts_, batches_ - read_);
  loader_.skip(batches);
  read_ += batches;
}

void check_target_names(const Model& model, const Batch& batch, std::string_view loader) {
  for (const auto& item : batch.task_sample_weights)
    if (!model.tasks().contains(item.key()) && !batch.targets.contains(item.key()))
      throw Error(
          "the batches of {} have sample weights for \"{}\", which is no task and no target; name "
          "them as the task whose samples they weigh",
          loader, item.key());
  const Task* without = nullptr;
  std::string unread;
  for (const Task& task : model.tasks())
    if (without == nullptr && !batch.targets.contains(task.target_name())) without = &task;
  if (without == nullptr) return;
  for (const auto& target : batch.targets) {
    bool read = false;
    for (const Task& task : model.tasks()) read = read || task.target_name() == target.key();
    if (!read) unread += (unread.empty() ? "\"" : ", \"") + target.key() + "\"";
  }
  if (!unread.empty())
    throw Error(
        "task \"{}\" reads target \"{}\", which is not in the batches of {}; targets there that no "
        "task reads: {}. Set Task::target, or name the target as the task",
        without->name, without->target_name(), loader, unread);
}

}  // namespace mtl
