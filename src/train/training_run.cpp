#include "mtl/train/training_run.hpp"

#include <fmt/format.h>

namespace mtl {
namespace {

/// "3 faulty batches skipped, 2 validation rows left out"; empty: there was nothing.
std::string left_out(const TrainingRun& run) {
  std::string text;
  const auto add = [&](int64_t count, const char* one, const char* many) {
    if (count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, count == 1 ? one : many);
  };
  add(run.faulty_batches, "faulty batch skipped", "faulty batches skipped");
  add(run.faulty_rows, "faulty validation row left out", "faulty validation rows left out");
  add(run.overflowed_steps, "step skipped for the loss scale's overflow",
      "steps skipped for the loss scale's overflow");
  add(run.unlabelled_batches, "batch without a label", "batches without a label");
  return text;
}

}  // namespace

std::string TrainingRun::brief() const {
  std::string text = history.epochs.empty()
                         ? fmt::format("no epoch completed in {:.1f} s: {}", seconds, stop_text)
                         : fmt::format("{} {} in {:.1f} s ({})", epochs(),
                                       epochs() == 1 ? "epoch" : "epochs", seconds, stop_text);
  if (best_epoch > 0)
    text += fmt::format("; best epoch {} with {} loss {:.4f}", best_epoch,
                        history.has_validation() ? "validation" : "training",
                        watched_total(history.at(best_epoch)));
  const std::string missing = left_out(*this);
  return missing.empty() ? text : text + "; " + missing;
}

std::string TrainingRun::drawn_text() const {
  std::string text;
  for (const DrawnSource& source : drawn)
    text +=
        fmt::format("{}{} {} batches ({:.2g} times through)", text.empty() ? "drawn: " : ", ",
                    source.name, source.batches,
                    static_cast<double>(source.batches) / static_cast<double>(source.available));
  return text;
}

std::string TrainingRun::report() const {
  std::string text = brief() + "\n";
  if (!first_fault.empty()) text += fmt::format("first fault: {}\n", first_fault);
  for (const FrozenTask& task : frozen)
    text += fmt::format("task \"{}\" was frozen in epoch {}\n", task.name, task.epoch);
  if (!untrained.empty()) {
    text += "not in the optimizer, so they stayed as they were:";
    for (const std::string& name : untrained) text += " " + name;
    text += "\n";
  }
  if (!drawn.empty()) text += drawn_text() + "\n";
  if (best_epoch == 0) return text;
  for (size_t t = 0; t < history.tasks.size(); ++t) {
    text += fmt::format("{}\n", history.tasks[t]);
    for (const auto& [title, epoch] :
         {std::pair{"best", best_epoch}, std::pair{"last", epochs()}}) {
      const EpochRecord& record = history.at(epoch);
      text += fmt::format("  {} epoch {:>4}  training loss {:.6g}", title, epoch,
                          record.train.losses[t]);
      if (!record.valid.losses.empty())
        text += fmt::format("  validation loss {:.6g}", record.valid.losses[t]);
      if (t < record.valid.metrics.size())
        for (size_t m = 0; m < record.valid.metrics[t].size(); ++m)
          text += fmt::format("  {} {:.6g}", history.metrics[t][m], record.valid.metrics[t][m]);
      text += "\n";
    }
  }
  return text;
}

}  // namespace mtl
