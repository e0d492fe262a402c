#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

enum class LabelOrder { first_seen, sorted };
enum class UnknownLabel { error, missing };

/// Names of classes <-> class indices 0..size()-1. An empty name is a missing label, index -100.
///
///     const auto encoder = mtl::LabelEncoder::learn(table.texts("weather"));
///     torch::Tensor target = encoder.encode(table.texts("weather"));   // [rows] int64
class LabelEncoder {
 public:
  /// Throws Error for an empty list and for an empty or repeated name.
  explicit LabelEncoder(std::vector<std::string> classes);
  /// The names that occur among `labels`; the empty ones are passed over.
  static LabelEncoder learn(std::span<const std::string> labels,
                            LabelOrder order = LabelOrder::first_seen);

  int64_t size() const { return static_cast<int64_t>(classes_.size()); }
  const std::vector<std::string>& classes() const { return classes_; }

  /// int64 [labels]. A name that is no class is an Error, or a missing label where asked for: right
  /// for a class that occurs in the validation part only.
  Tensor encode(std::span<const std::string> labels,
                UnknownLabel unknown = UnknownLabel::error) const;
  /// The names of class indices [N]; "" for a missing label.
  std::vector<std::string> decode(const Tensor& indices) const;

 private:
  std::vector<std::string> classes_;
};

}  // namespace mtl
