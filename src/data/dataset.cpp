#include "mtl/data/dataset.hpp"

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

NamedTensors gathered(const NamedTensors& tensors, const Tensor& indices) {
  NamedTensors result;
  for (const auto& item : tensors) {
    result.insert(item.key(), item.value().index_select(0, indices));
  }
  return result;
}

NamedTensors moved(const NamedTensors& tensors, const torch::Device& device) {
  NamedTensors result;
  for (const auto& item : tensors) result.insert(item.key(), item.value().to(device));
  return result;
}

int64_t bytes_of_row(const NamedTensors& tensors) {
  int64_t bytes = 0;
  for (const auto& item : tensors) {
    const Tensor& tensor = item.value();
    bytes += tensor.numel() / tensor.size(0) * static_cast<int64_t>(tensor.element_size());
  }
  return bytes;
}

}  // namespace

bool is_complete(const Tensor& target) { return labelled_entries(target).all().item<bool>(); }

TensorDataset::TensorDataset(NamedTensors inputs, NamedTensors targets, Tensor sample_weights,
                             NamedTensors task_sample_weights)
    : inputs_(std::move(inputs)),
      targets_(std::move(targets)),
      sample_weights_(std::move(sample_weights)),
      task_sample_weights_(std::move(task_sample_weights)) {
  if (inputs_.is_empty()) throw Error("TensorDataset: there is no input tensor.");
  const auto check = [&](std::string_view kind, const NamedTensors& tensors) {
    for (const auto& item : tensors) {
      const Tensor& tensor = item.value();
      if (!tensor.defined() || tensor.dim() == 0) {
        throw Error("TensorDataset: {} \"{}\" {}; its first dimension must count the samples.",
                    kind, item.key(), tensor.defined() ? "is a single number" : "is undefined");
      }
      if (&item == &*inputs_.begin()) size_ = tensor.size(0);
      if (tensor.size(0) != size_) {
        throw Error("TensorDataset: {} \"{}\" has {} rows, but input \"{}\" has {}.", kind,
                    item.key(), tensor.size(0), inputs_.begin()->key(), size_);
      }
    }
  };
  check("input", inputs_);
  check("target", targets_);
  if (size_ == 0) throw Error("TensorDataset: the tensors have no rows.");
  check_sample_weights(sample_weights_, task_sample_weights_, size_);
  complete_ = true;
  for (const auto& item : targets_) complete_ = complete_ && is_complete(item.value());
}

Batch TensorDataset::get(const Tensor& indices) const {
  const Tensor here = indices.to(inputs_.begin()->value().device());
  return {gathered(inputs_, here), gathered(targets_, here), complete_,
          sample_weights_.defined() ? sample_weights_.index_select(0, here) : Tensor(),
          gathered(task_sample_weights_, here)};
}

int64_t TensorDataset::row_bytes() const {
  return bytes_of_row(inputs_) + bytes_of_row(targets_) + bytes_of_row(task_sample_weights_) +
         (sample_weights_.defined() ? static_cast<int64_t>(sample_weights_.element_size()) : 0);
}

TensorDataset TensorDataset::rows(const Tensor& indices) const {
  Batch part = get(indices);
  return TensorDataset(std::move(part.inputs), std::move(part.targets),
                       std::move(part.sample_weights), std::move(part.task_sample_weights));
}

TensorDataset TensorDataset::to(const torch::Device& device) const {
  return TensorDataset(moved(inputs_, device), moved(targets_, device),
                       sample_weights_.defined() ? sample_weights_.to(device) : Tensor(),
                       moved(task_sample_weights_, device));
}

}  // namespace mtl
