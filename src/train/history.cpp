#include "mtl/train/history.hpp"

#include "mtl/io/csv.hpp"

namespace mtl {

int64_t History::best_epoch() const {
  const EpochRecord* best = nullptr;
  for (const EpochRecord& record : epochs)
    if (best == nullptr || watched_loss(record) < watched_loss(*best)) best = &record;
  return best == nullptr ? 0 : best->epoch;
}

std::string History::csv() const {
  std::vector<std::string> header = {"epoch", "learning_rate", "train_total"};
  for (const auto& task : tasks) header.push_back("train_" + task);
  if (has_validation()) {
    header.emplace_back("valid_total");
    for (const auto& task : tasks) header.push_back("valid_" + task);
    for (size_t t = 0; t < tasks.size(); ++t)
      for (const auto& metric : metrics[t]) header.push_back("valid_" + tasks[t] + "_" + metric);
  }
  std::string text = io::csv_row(header);
  for (const EpochRecord& record : epochs) {
    std::vector<std::string> row = {std::to_string(record.epoch),
                                    io::csv_number(record.learning_rate),
                                    io::csv_number(record.train.total)};
    for (double loss : record.train.losses) row.push_back(io::csv_number(loss));
    if (has_validation()) {
      row.push_back(io::csv_number(record.valid.total));
      for (double loss : record.valid.losses) row.push_back(io::csv_number(loss));
      for (const auto& values : record.valid.metrics)
        for (double value : values) row.push_back(io::csv_number(value));
    }
    text += io::csv_row(row);
  }
  return text;
}

}  // namespace mtl
