#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "mtl/data/loader.hpp"

namespace mtl {

struct PrefetchOptions {
  torch::Device device = torch::kCUDA;  ///< where the batches go
  int64_t ahead = 1;  ///< batches on their way beside the one in use; each takes its memory there
  bool pin_memory = true;  ///< through page-locked memory, from which a GPU copies by itself
};

namespace data_detail {

/// Batches on their way to a device, in order.
class BatchQueue {
 public:
  explicit BatchQueue(PrefetchOptions options);
  BatchQueue(BatchQueue&&) noexcept;
  BatchQueue& operator=(BatchQueue&&) noexcept;
  ~BatchQueue();

  /// Nothing is on its way, nothing is copied yet.
  bool empty() const;
  bool full() const;
  void clear();
  /// Sends a batch off; returns before it has arrived.
  void send(Batch batch);
  /// The oldest. What is asked of the device from now on waits for it there; the caller does not.
  Batch receive();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace data_detail

/// The batches of another loader, on a device: while it works on one, the next are read and copied.
///
///     mtl::BatchLoader batches(data, {.batch_size = 256, .shuffle = true, .seed = 1});
///     mtl::Prefetch train(batches, {.device = torch::kCUDA});
///     trainer.fit(train, valid);
///
/// They are the same batches in the same order; whether labels are missing is looked up before the
/// copy, so that no task has to ask the device. A loader given as a variable is referred to, any
/// other is kept. With device CPU it only reads ahead.
template <class L>
requires Loader<std::remove_reference_t<L>>
class Prefetch {
 public:
  /// Error: `ahead` below 1.
  explicit Prefetch(L&& loader, PrefetchOptions options = {})
      : loader_(std::forward<L>(loader)), queue_(options) {}

  int64_t batches() const { return loader_.batches(); }
  int64_t samples() const { return loader_.samples(); }
  /// What makes the other loader's batches, where it says so.
  auto text() const requires requires(const std::remove_reference_t<L>& loader) { loader.text(); }
  { return loader_.text(); }
  /// What an epoch draws from each of several sources, where it has any.
  auto per_epoch() const requires requires(const std::remove_reference_t<L>& loader) {
    loader.per_epoch();
  }
  { return loader_.per_epoch(); }

  void start_epoch(int64_t epoch) {
    queue_.clear();
    ended_ = false;
    loader_.start_epoch(epoch);
  }

  bool next(Batch& batch) {
    if (queue_.empty()) read();
    if (queue_.empty()) return false;
    batch = queue_.receive();
    while (!queue_.full() && read()) continue;
    return true;
  }

  /// Passes over the next `count` batches.
  void skip(int64_t count) requires requires(std::remove_reference_t<L>& loader) {
    loader.skip(count);
  }
  {
    for (; count > 0 && !queue_.empty(); --count) queue_.receive();
    loader_.skip(count);
  }

 private:
  bool read() {
    Batch batch;
    if (ended_ || !loader_.next(batch)) {
      ended_ = true;
      return false;
    }
    queue_.send(std::move(batch));
    return true;
  }

  L loader_;
  data_detail::BatchQueue queue_;
  bool ended_ = false;  // this epoch's last batch is read
};

template <class L>
Prefetch(L&&, PrefetchOptions = {}) -> Prefetch<L>;

}  // namespace mtl
