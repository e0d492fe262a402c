#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mtl/data/dataset.hpp"
#include "mtl/data/padding.hpp"

namespace mtl {

/// One sample: tensors without a dimension that counts samples. A target that it lacks is a missing
/// label.
struct Sample {
  NamedTensors inputs = NamedTensors();
  NamedTensors targets = NamedTensors();
};

/// Makes one batch of samples, in their order: PadToLongest, or any callable.
using Collate = std::function<Batch(const std::vector<Sample>&)>;

/// Samples of ragged size (sequences, boxes) as one batch: each filled up at the end to the longest
/// of the batch.
///
///     mtl::PadToLongest{.ragged = {"words", "boxes"}}
///
/// A ragged input is filled up with `fill`, and its lengths before that, its first dimensions, come
/// as one more input, "<name>_length", int64 [n]. A ragged target is filled up with missing labels
/// (NaN, -100). All others are stacked and must have one shape.
/// Error: no samples, an input that not all have or that is called as the lengths of another,
/// shapes that differ and are not called ragged, whole numbers to be filled up with another, a
/// target of a type that knows no missing label
/// where one is needed.
struct PadToLongest {
  std::vector<std::string> ragged = {};
  double fill = 0;

  Batch operator()(const std::vector<Sample>& samples) const {
    if (samples.empty()) throw Error("PadToLongest: there are no samples to make a batch of");
    check_inputs(samples);
    Batch batch;
    for (const auto& item : samples.front().inputs) {
      std::vector<Tensor> parts;
      for (const Sample& sample : samples) {
        const Tensor* part = sample.inputs.find(item.key());
        if (part == nullptr || !part->defined())
          throw Error("PadToLongest: sample {} of the batch has no input \"{}\", the first has",
                      parts.size(), item.key());
        parts.push_back(*part);
      }
      if (is_ragged(item.key())) check_fill(parts, item.key());
      batch.inputs.insert(item.key(), joined(parts, item.key(), fill));
      if (!is_ragged(item.key())) continue;
      const std::string length = item.key() + "_length";
      if (samples.front().inputs.contains(length))
        throw Error(
            "PadToLongest: the lengths of \"{}\" come as the input \"{}\", which the samples have "
            "already; give that another name",
            item.key(), length);
      batch.inputs.insert(length, lengths(parts, item.key()));
    }
    for (const Sample& sample : samples)
      for (const auto& item : sample.targets)
        if (item.value().defined() && !batch.targets.contains(item.key()))
          batch.targets.insert(item.key(), target(samples, item.key(), item.value()));
    return batch;
  }

 private:
  static void check_inputs(const std::vector<Sample>& samples) {
    for (const Sample& sample : samples)
      for (const auto& item : sample.inputs)
        if (!samples.front().inputs.contains(item.key()))
          throw Error(
              "PadToLongest: sample {} of the batch has an input \"{}\", the first has none",
              &sample - samples.data(), item.key());
  }

  void check_fill(const std::vector<Tensor>& parts, const std::string& name) const {
    for (const Tensor& part : parts) {
      if (part.is_floating_point() || part.is_complex()) continue;
      const bool is_signed = c10::isSignedType(part.scalar_type());
      const double bits = part.scalar_type() == torch::kBool ? 1 : 8.0 * part.element_size();
      const double end = std::exp2(is_signed ? std::min(bits - 1, 53.0) : bits);  // one too far
      if (!(fill == std::floor(fill) && fill >= (is_signed ? -end : 0) && fill < end))
        throw Error("PadToLongest: \"{}\" has type {}, which has no number {} to be filled up with",
                    name, toString(part.scalar_type()), fill);
    }
  }

  bool is_ragged(const std::string& name) const {
    return std::find(ragged.begin(), ragged.end(), name) != ragged.end();
  }

  Tensor joined(std::vector<Tensor> parts, const std::string& name, torch::Scalar with) const {
    for (const Tensor& part : parts)
      if (!is_ragged(name) && part.sizes() != parts.front().sizes())
        throw Error(
            "PadToLongest: \"{}\" has shape {} in one sample and {} in another; if they "
            "shall be filled up to one, name it in .ragged",
            name, shape_text(parts.front()), shape_text(part));
    const std::vector<int64_t> shape = covering_shape(parts, name);
    for (Tensor& part : parts) part = padded(part, shape, with);
    return torch::stack(parts);
  }

  static Tensor lengths(const std::vector<Tensor>& parts, const std::string& name) {
    std::vector<int64_t> numbers;
    for (const Tensor& part : parts) {
      if (part.dim() == 0)
        throw Error("PadToLongest: \"{}\" is a single number, which has no length", name);
      numbers.push_back(part.size(0));
    }
    return torch::tensor(numbers, torch::kInt64);
  }

  Tensor target(const std::vector<Sample>& samples, const std::string& name,
                const Tensor& like) const {
    const auto lacks = [&](const Sample& sample) {
      const Tensor* found = sample.targets.find(name);
      return found == nullptr || !found->defined();
    };
    const bool needs_missing =
        is_ragged(name) || std::any_of(samples.begin(), samples.end(), lacks);
    std::vector<Tensor> there;
    for (const Sample& sample : samples)
      if (!lacks(sample)) there.push_back(sample.targets[name]);
    const Tensor first = with_type(like, common_type(there));
    const torch::Scalar missing = needs_missing ? missing_label(first, name) : torch::Scalar(0);
    std::vector<Tensor> parts;
    for (const Sample& sample : samples)
      parts.push_back(lacks(sample) ? torch::full_like(first, missing)
                                    : with_type(sample.targets[name], first.scalar_type()));
    return joined(std::move(parts), name, missing);
  }
};

/// Samples one by one, made to batches by a collate function.
///
///     mtl::SampleDataset data(samples, mtl::PadToLongest{.ragged = {"words"}});
///     mtl::SampleDataset files(1000, [&](int64_t i) { return read(names[i]); }, my_collate);
///     mtl::BatchLoader loader(data, {.batch_size = 32, .shuffle = true});
class SampleDataset {
 public:
  /// Error: no samples.
  explicit SampleDataset(std::vector<Sample> samples, Collate collate = PadToLongest{});
  /// `sample` is asked for sample 0 <= i < size, as often as batches ask for it.
  SampleDataset(int64_t size, std::function<Sample(int64_t)> sample,
                Collate collate = PadToLongest{})
      : size_(size), sample_(std::move(sample)), collate_(std::move(collate)) {
    check();
  }

  int64_t size() const { return size_; }

  /// The batch of the samples named by `indices` [n]. Error: what the collate function says.
  Batch get(const Tensor& indices) const;

 private:
  void check() const {
    if (size_ < 1) throw Error("SampleDataset: there are no samples");
    if (!sample_ || !collate_)
      throw Error("SampleDataset: there is no function that {}",
                  sample_ ? "makes a batch of samples" : "gives a sample");
  }

  int64_t size_;
  std::function<Sample(int64_t)> sample_;
  Collate collate_;
};

}  // namespace mtl
