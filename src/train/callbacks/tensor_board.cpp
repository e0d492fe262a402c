#include "mtl/train/callbacks/tensor_board.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "../gradient_norm.hpp"

namespace mtl {
namespace {

void add_known(io::TensorBoardWriter& writer, const std::string& tag, double value, int64_t step) {
  if (!std::isnan(value)) writer.add_scalar(tag, value, step);
}

}  // namespace

void TensorBoard::on_epoch_end(TrainState& state) {
  if (!writer) writer = std::make_shared<io::TensorBoardWriter>(directory);
  const History& history = state.history;
  const EpochRecord& record = history.epochs.back();
  add_known(*writer, "learning_rate", record.learning_rate, record.epoch);
  for (size_t g = 1; g < record.group_rates.size(); ++g)
    writer->add_scalar("learning_rate/" + std::to_string(g), record.group_rates[g], record.epoch);
  for (const auto* split : {&record.train, &record.valid}) {
    if (split->losses.empty()) continue;  // no validation
    const std::string name = split == &record.train ? "train" : "valid";
    add_known(*writer, "total/" + name, split->total, record.epoch);
    for (size_t t = 0; t < split->losses.size(); ++t) {
      add_known(*writer, history.tasks[t] + "/loss/" + name, split->losses[t], record.epoch);
      for (size_t m = 0; t < split->metrics.size() && m < split->metrics[t].size(); ++m)
        add_known(*writer, history.tasks[t] + "/" + history.metrics[t][m] + "/" + name,
                  split->metrics[t][m], record.epoch);
    }
  }
  if (histograms_every > 0 && record.epoch % histograms_every == 0)
    for (const auto& parameter : state.model.named_parameters()) {
      writer->add_histogram("weights/" + parameter.key(), parameter.value(), record.epoch);
      if (const Tensor& gradient = parameter.value().grad(); gradient.defined())
        writer->add_histogram("gradients/" + parameter.key(), gradient_entries(gradient),
                              record.epoch);
    }
  for (const Picture& picture : pictures)
    if (const std::string png = picture.png(state); !png.empty())
      writer->add_picture(picture.name, png, record.epoch);
  writer->flush();
}

}  // namespace mtl
