#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/batch.hpp"
#include "mtl/data/images/decode.hpp"
#include "mtl/data/images/transforms.hpp"

namespace mtl {

/// A picture that could not be read (`usable` is false), or was read but is worth a look.
struct ImageFinding {
  int64_t row = 0;
  std::filesystem::path file;
  images::Flaw flaw = images::Flaw::unknown;
  std::string text;
  bool usable = false;
};

/// Picture files and the targets and sample weights that belong to them, row i of each to file i.
///
///     mtl::ImageDataset pets(files, {{"breed", breeds}}, {.prepare = images::ResizeShorter{256}});
///
/// Files are read when they are asked for. What fits into `cache_bytes` stays in memory as 8-bit
/// RGB: first come, first kept, since an epoch asks for every picture once and would push out each
/// before its turn. A copy shares files, cache and findings. Safe to use from several threads.
class ImageDataset {
 public:
  struct Options {
    images::ReadOptions read = {};
    /// Done once to each picture, before it is cached: a ResizeShorter here lets more of them fit.
    /// Its random numbers are always the same.
    images::Transform prepare = {};
    int64_t cache_bytes = 1'000'000'000;  ///< decoded pictures kept in memory, at most; 0: none
  };

  /// Error: there is no file, a target has not one row a file, sample weights that are negative or
  /// not finite.
  ImageDataset(std::vector<std::filesystem::path> files, NamedTensors targets, Options options,
               Tensor sample_weights = Tensor(), NamedTensors task_sample_weights = NamedTensors());
  explicit ImageDataset(std::vector<std::filesystem::path> files,
                        NamedTensors targets = NamedTensors())
      : ImageDataset(std::move(files), std::move(targets), Options()) {}

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  const std::filesystem::path& file(int64_t row) const;  ///< Error: there is no such row
  const NamedTensors& targets() const { return targets_; }
  const Tensor& sample_weights() const { return sample_weights_; }  ///< undefined: all one
  const NamedTensors& task_sample_weights() const { return task_sample_weights_; }
  bool complete() const { return complete_; }  ///< whether no target has a missing label anywhere

  /// The decoded and prepared picture.
  /// ImageError: the file cannot be used; once it failed it is not tried again.
  /// Error: there is no such row, or what `prepare` throws, with the file's name.
  std::shared_ptr<const images::Image> image(int64_t row) const;

  /// The rows named by `indices` [n] as a dataset of its own, such as one part of a split.
  /// Error: there is no such row, or none is named.
  ImageDataset rows(const Tensor& indices) const;

  /// Reads every picture once, with so many threads, which also fills the cache; gives the rows [n]
  /// that can be used: `pets = pets.rows(pets.usable())`.
  Tensor usable(int64_t workers = 1) const;

  /// What was wrong with the pictures read so far, by row.
  std::vector<ImageFinding> findings() const;

  int64_t cached_bytes() const;

 private:
  int64_t index(int64_t row) const;

  struct State;
  std::shared_ptr<State> state_;
  std::vector<int64_t> rows_;  // of the state's files
  NamedTensors targets_;
  Tensor sample_weights_;
  NamedTensors task_sample_weights_;
  bool complete_ = true;
};

/// One line a finding and one that counts them, for a log: "12 of 1262 pictures cannot be used:
/// ...". Empty where there are none.
std::string summary(const std::vector<ImageFinding>& findings, int64_t pictures);

}  // namespace mtl
