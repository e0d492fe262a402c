#include "epoch_reader.hpp"

#include <string>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl {

EpochReader::EpochReader(LoaderRef& loader, std::string_view what, torch::Device device)
    : loader_(loader), what_(what), device_(device) {
  if (loader.batches() < 1) throw Error("{} has no batch", what);
}

void EpochReader::start(int64_t epoch) {
  loader_.start_epoch(epoch);
  epoch_ = epoch;
  read_ = 0;
  batches_ = loader_.batches();
}

bool EpochReader::next(Batch& batch) {
  const bool found = loader_.next(batch);
  if (found && read_ == batches_)
    throw Error(
        "{} gave more than the {} batches that it says an epoch has. If a callback reads it during "
        "the epoch (predict, validate), give that a loader of its own",
        what_, batches_);
  if (!found && read_ < batches_)
    throw Error(
        "{} gave {} of {} batches in its epoch {}. A loader begins anew at start_epoch(e), for any "
        "e; if a callback reads it during the epoch (predict, validate), give that a loader of its "
        "own",
        what_, read_, batches_, epoch_);
  if (!found) return false;
  ++read_;
  if (!device_.is_cpu()) batch = to(batch, device_);
  return true;
}

void EpochReader::skip(int64_t count) {
  loader_.skip(count);
  read_ += count;
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
