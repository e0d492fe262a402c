#include "collector.hpp"

#include "mtl/core/batch.hpp"
#include "mtl/data/padding.hpp"

namespace mtl {
namespace {

/// [rows, ...] of missing labels, of the shape and type of `like`.
Tensor missing_labels(const Tensor& like, int64_t rows, const std::string& name) {
  auto shape = like.sizes().vec();
  shape.at(0) = rows;
  return torch::full(shape, missing_label(like, name), like.options());
}

}  // namespace

void Collector::add(const NamedTensors& tensors, int64_t samples) {
  for (const auto& item : tensors) {
    if (!item.value().defined()) continue;
    if (!firsts_.contains(item.key())) firsts_.insert(item.key(), item.value());
    parts_[item.key()].push_back({item.value().cpu(), rows_});
  }
  rows_ += samples;
}

NamedTensors Collector::joined() const {
  NamedTensors all;
  for (const auto& item : firsts_) {
    std::vector<Tensor> rows;
    int64_t at = 0;
    const auto fill_until = [&](int64_t row) {
      if (at < row)
        rows.push_back(absent_ == Absent::one
                           ? torch::ones({row - at}, item.value().options().device(torch::kCPU))
                           : missing_labels(item.value().cpu(), row - at, item.key()));
      at = row;
    };
    for (const Part& part : parts_.at(item.key())) {
      fill_until(part.first);
      rows.push_back(part.tensor);
      at += part.tensor.size(0);
    }
    fill_until(rows_);
    all.insert(
        item.key(),
        joined_rows(rows, absent_ == Absent::missing_label ? Fill::missing_label : Fill::zero,
                    item.key()));
  }
  return all;
}

}  // namespace mtl
