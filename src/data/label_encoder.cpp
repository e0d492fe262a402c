#include "mtl/data/label_encoder.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace mtl {

LabelEncoder::LabelEncoder(std::vector<std::string> classes) : classes_(std::move(classes)) {
  if (classes_.empty()) throw Error("LabelEncoder: there is no class");
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : classes_) {
    if (name.empty()) throw Error("LabelEncoder: an empty name stands for a missing label");
    if (!seen.insert(name).second)
      throw Error("LabelEncoder: class \"{}\" occurs twice", io::excerpt(name));
  }
}

LabelEncoder LabelEncoder::learn(std::span<const std::string> labels, LabelOrder order) {
  std::vector<std::string> classes;
  std::unordered_set<std::string_view> seen;
  for (const std::string& label : labels)
    if (!label.empty() && seen.insert(label).second) classes.push_back(label);
  if (classes.empty()) throw Error("LabelEncoder: all of the {} labels are missing", labels.size());
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
    if (found != index.end())
      out[i] = found->second;
    else if (unknown == UnknownLabel::error)
      throw Error(
          "LabelEncoder: label \"{}\" in row {} is none of the classes {}. Learn from all "
          "labels, or encode unknown ones as missing",
          io::excerpt(labels[i]), i, listed());
  }
  return result;
}

}  // namespace mtl
