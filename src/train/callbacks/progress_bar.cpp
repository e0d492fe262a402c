#include "mtl/train/callbacks/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <string>

namespace mtl {
namespace {

constexpr int64_t bar_width = 24;

}  // namespace

void ProgressBar::on_fit_begin(TrainState& /*state*/) {
  is_terminal = isatty(fileno(stream)) != 0;
  line_is_open = false;
}

void ProgressBar::on_step_end(TrainState& state) {
  if (!is_terminal) return;
  const int64_t filled = bar_width * state.batch / state.batches;
  // Only when the picture changes: a terminal is slower than a small net.
  if (state.batch > 1 && filled == bar_width * (state.batch - 1) / state.batches) return;
  const std::string bar = std::string(static_cast<size_t>(filled), '=') +
                          std::string(static_cast<size_t>(bar_width - filled), ' ');
  fmt::print(stream, "\repoch {:>4}/{} [{}]", state.epoch, state.epochs, bar);
  line_is_open = true;
  std::fflush(stream);
}

void ProgressBar::on_epoch_end(TrainState& state) {
  const EpochRecord& record = state.history.epochs.back();
  std::string line = fmt::format("{}epoch {:>4}/{}  training loss {:.4f}", is_terminal ? "\r" : "",
                                 record.epoch, state.epochs, record.train.total);
  if (!record.valid.losses.empty())
    line += fmt::format("  validation loss {:.4f}", record.valid.total);
  if (is_terminal) line += std::string(bar_width, ' ');
  fmt::print(stream, "{}{}", line, is_terminal ? "" : "\n");
  line_is_open = is_terminal;
  std::fflush(stream);
}

void ProgressBar::on_fit_end(TrainState& /*state*/) {
  if (line_is_open) fmt::print(stream, "\n");
  std::fflush(stream);
  line_is_open = false;
}

}  // namespace mtl
