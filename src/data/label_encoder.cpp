#include "mtl/data/label_encoder.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "mtl/core/batch.hpp"
#include "mtl/core/error.hpp"

namespace mtl {

LabelEncoder::LabelEncoder(std::vector<std::string> classes) : classes_(std::move(classes)) {
  if (classes_.empty()) throw Error("LabelEncoder: there is no class.");
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : classes_) {
    if (name.empty()) throw Error("LabelEncoder: an empty name stands for a missing label.");
    if (!seen.insert(name).second) throw Error("LabelEncoder: class \"{}\" occurs twice.", name);
  }
}

LabelEncoder LabelEncoder::learn(std::span<const std::string> labels, LabelOrder order) {
  std::vector<std::string> classes;
  std::unordered_set<std::string_view> seen;
  for (const std::string& label : labels) {
    if (!label.empty() && seen.insert(label).second) classes.push_back(label);
  }
  if (classes.empty()) {
    throw Error("LabelEncoder: all of the {} labels are missing.", labels.size());
  }
  if (order == LabelOrder::sorted) std::sort(classes.begin(), classes.end());
  return LabelEncoder(std::move(classes));
}

Tensor LabelEncoder::encode(std::span<const std::string> labels, UnknownLabel unknown) const {
  std::unordered_map<std::string_view, int64_t> index;
  for (const std::string& name : classes_) index.emplace(name, std::ssize(index));
  Tensor result = torch::full({std::ssize(labels)}, missing_class, torch::kInt64);
  int64_t* out = result.data_ptr<int64_t>();
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) continue;
    const auto found = index.find(labels[i]);
    if (found != index.end()) {
      out[i] = found->second;
    } else if (unknown == UnknownLabel::error) {
      throw Error(
          "LabelEncoder: label \"{}\" in row {} is none of the classes {}. Learn from all "
          "labels, or encode unknown ones as missing.",
          labels[i], i, fmt::join(classes_, ", "));
    }
  }
  return result;
}

std::vector<std::string> LabelEncoder::decode(const Tensor& indices) const {
  if (indices.dim() != 1 || indices.is_floating_point()) {
    throw Error("LabelEncoder: class indices [N] are needed, but the tensor is {} of {}.",
                shape_text(indices), torch::toString(indices.scalar_type()));
  }
  const Tensor cpu = indices.to(torch::kCPU, torch::kInt64).contiguous();
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(cpu.size(0)));
  for (int64_t row = 0; row < cpu.size(0); ++row) {
    const int64_t index = cpu.data_ptr<int64_t>()[row];
    if (index != missing_class && (index < 0 || index >= size())) {
      throw Error("LabelEncoder: class {} in row {}; the classes are 0..{}.", index, row,
                  size() - 1);
    }
    names.push_back(index == missing_class ? std::string() : classes_[static_cast<size_t>(index)]);
  }
  return names;
}

}  // namespace mtl
