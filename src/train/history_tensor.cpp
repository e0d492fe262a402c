#include "history_tensor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

int64_t columns_without_validation(const ResultNames& names) {
  return 3 + static_cast<int64_t>(names.tasks.size());
}

}  // namespace

Tensor history_tensor(const History& history) {
  std::vector<double> numbers;
  for (const EpochRecord& record : history.epochs) {
    numbers.push_back(static_cast<double>(record.epoch));
    numbers.push_back(record.learning_rate);
    for (const SplitRecord* split : {&record.train, &record.valid}) {
      if (split->losses.empty()) continue;
      numbers.push_back(split->total);
      numbers.insert(numbers.end(), split->losses.begin(), split->losses.end());
      for (const auto& metrics : split->metrics)
        numbers.insert(numbers.end(), metrics.begin(), metrics.end());
    }
  }
  const auto epochs = static_cast<int64_t>(history.epochs.size());
  if (epochs == 0) return torch::zeros({0, columns_without_validation(history)}, torch::kDouble);
  return torch::tensor(numbers, torch::kDouble).view({epochs, -1});
}

Tensor rates_tensor(const History& history) {
  const size_t groups = history.groups();
  const auto epochs = static_cast<int64_t>(history.epochs.size());
  const Tensor rates = torch::full({epochs, static_cast<int64_t>(groups)},
                                   std::numeric_limits<double>::quiet_NaN(), torch::kDouble);
  double* next = rates.data_ptr<double>();
  for (const EpochRecord& record : history.epochs) {
    std::copy(record.group_rates.begin(), record.group_rates.end(), next);
    next += groups;
  }
  return rates;
}

void set_rates(History& history, const Tensor& tensor) {
  if (tensor.dim() != 2 || tensor.scalar_type() != torch::kDouble ||
      tensor.size(0) != static_cast<int64_t>(history.epochs.size()))
    throw Error("its learning rates have shape {}, expected [{}, groups]", shape_text(tensor),
                static_cast<int64_t>(history.epochs.size()));
  const Tensor rates = tensor.contiguous();
  const double* next = rates.data_ptr<double>();
  for (EpochRecord& record : history.epochs) {
    record.group_rates.assign(next, next + rates.size(1));
    std::erase_if(record.group_rates, [](double rate) { return std::isnan(rate); });
    next += rates.size(1);
  }
}

History history_from(const ResultNames& names, const Tensor& tensor) {
  History history{names, {}};
  const auto tasks = static_cast<int64_t>(names.tasks.size());
  int64_t metrics = 0;
  for (const auto& of_task : names.metrics) metrics += static_cast<int64_t>(of_task.size());
  const int64_t columns = columns_without_validation(names),
                with_validation = columns + 1 + tasks + metrics;
  if (tensor.dim() != 2 || tensor.scalar_type() != torch::kDouble ||
      (tensor.size(1) != columns && tensor.size(1) != with_validation))
    throw Error("its history has shape {}, expected [epochs, {}] or [epochs, {}]",
                shape_text(tensor), columns, with_validation);
  const Tensor rows = tensor.contiguous();
  const double* next = rows.data_ptr<double>();
  for (int64_t e = 0; e < rows.size(0); ++e) {
    EpochRecord record;
    record.epoch = static_cast<int64_t>(*next++);
    record.learning_rate = *next++;
    const auto read = [&](SplitRecord& split) {
      split.total = *next++;
      split.losses = std::vector<double>(next, next + tasks);
      next += tasks;
    };
    read(record.train);
    if (rows.size(1) == with_validation) {
      read(record.valid);
      for (const auto& of_task : names.metrics) {
        record.valid.metrics.push_back(std::vector<double>(next, next + of_task.size()));
        next += of_task.size();
      }
    }
    history.add(std::move(record));
  }
  return history;
}

}  // namespace mtl
