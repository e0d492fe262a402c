#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>

#include "mtl/data/dataset.hpp"

namespace mtl {

/// What a training loop reads batches from. `start_epoch(e)` goes to the beginning of epoch e,
/// `next` fills in one batch after the other and returns false after the last.
template <class L>
concept Loader = requires(L& loader, const L& constant, Batch& batch, int64_t epoch) {
  { constant.batches() } -> std::convertible_to<int64_t>;  // batches in an epoch
  { constant.samples() } -> std::convertible_to<int64_t>;  // samples in an epoch
  {loader.start_epoch(epoch)};
  { loader.next(batch) } -> std::convertible_to<bool>;
};

struct BatchLoaderOptions {
  int64_t batch_size = 32;
  bool shuffle = false;
  uint64_t seed = 0;       ///< with `shuffle`: the order of epoch e depends on (seed, e) only
  bool drop_last = false;  ///< leave out a last batch of fewer samples
};

/// Batches of a dataset, epoch after epoch.
///
///     mtl::BatchLoader loader(data, {.batch_size = 64, .shuffle = true, .seed = 1});
///
/// Rows are gathered by index from whole tensors, never sample by sample. Where an epoch is small
/// (64 MiB) and the dataset calls gathering cheap, it is gathered in one go and a batch is a view
/// of it, which costs a tenth; it is a copy of the dataset either way. The dataset is taken by
/// value: its tensors are shared.
class BatchLoader {
 public:
  /// Throws Error where there would be no batch.
  template <Dataset D>
  explicit BatchLoader(D dataset, BatchLoaderOptions options = {})
      : options_(options), size_(dataset.size()) {
    if constexpr (requires { dataset.row_bytes(); }) row_bytes_ = dataset.row_bytes();
    get_ = [kept = std::make_shared<const D>(std::move(dataset))](const Tensor& indices) {
      return kept->get(indices);
    };
    check();
  }

  const BatchLoaderOptions& options() const { return options_; }
  int64_t batches() const;
  int64_t samples() const;

  /// To the beginning of epoch `epoch`; a new loader stands at the beginning of epoch 0.
  void start_epoch(int64_t epoch);
  /// Puts the next batch into `batch`; false, and nothing done, after the last.
  bool next(Batch& batch);

 private:
  void check() const;

  BatchLoaderOptions options_;
  int64_t size_;
  int64_t row_bytes_ = -1;  // unknown: gather batch by batch
  std::function<Batch(const Tensor&)> get_;
  Tensor order_;  // [samples] of this epoch; undefined before it is asked for
  Batch epoch_;   // all rows in that order, where they are gathered in one go
  int64_t at_ = 0;
};

}  // namespace mtl
