#pragma once

#include <span>
#include <string>
#include <vector>

#include "mtl/core/batch.hpp"
#include "mtl/core/error.hpp"
#include "mtl/io/excerpt.hpp"

namespace mtl {

enum class LabelOrder { first_seen, sorted };

/// What a name that is no class becomes.
enum class UnknownLabel {
  error,
  missing,  ///< a missing label: right for a class that occurs in the validation part only
};

/// Names of classes <-> class indices 0..size()-1. An empty name is a missing label, index -100.
///
///     const auto encoder = mtl::LabelEncoder::learn(table.texts("weather"));
///     torch::Tensor target = encoder.encode(table.texts("weather"));   // [rows] int64
class LabelEncoder {
 public:
  /// Error: an empty list, an empty or repeated name.
  explicit LabelEncoder(std::vector<std::string> classes);

  /// The names that occur among `labels`; the empty ones are passed over. Error: there is none.
  static LabelEncoder learn(std::span<const std::string> labels,
                            LabelOrder order = LabelOrder::first_seen);

  int64_t size() const { return std::ssize(classes_); }
  const std::vector<std::string>& classes() const { return classes_; }

  /// int64 [labels]. Error: a name that is no class, unless it shall be a missing label.
  Tensor encode(std::span<const std::string> labels,
                UnknownLabel unknown = UnknownLabel::error) const;

  /// The names of class indices [N]; "" for a missing label. Error: an index that is no class's.
  std::vector<std::string> decode(const Tensor& indices) const {
    if (!indices.defined() || indices.dim() != 1 || indices.is_floating_point() ||
        indices.is_complex())
      throw Error("LabelEncoder: class indices [N] of an integer type are needed, found {}",
                  indices.defined()
                      ? shape_text(indices) + " of " + c10::toString(indices.scalar_type())
                      : "no tensor");
    const Tensor cpu = indices.to(torch::kCPU, torch::kInt64).contiguous();
    std::vector<std::string> names;
    names.reserve(static_cast<size_t>(cpu.size(0)));
    for (int64_t row = 0; row < cpu.size(0); ++row) {
      const int64_t index = cpu.data_ptr<int64_t>()[row];
      if (index != missing_class && (index < 0 || index >= size()))
        throw Error("LabelEncoder: class {} in row {}; the classes are 0..{}", index, row,
                    size() - 1);
      names.push_back(index == missing_class ? std::string()
                                             : classes_[static_cast<size_t>(index)]);
    }
    return names;
  }

 private:
  std::string listed() const {
    std::string list;
    for (const std::string& name : classes_) list += (list.empty() ? "" : ", ") + name;
    return io::excerpt(list, 1000);
  }

  std::vector<std::string> classes_;
};

}  // namespace mtl
