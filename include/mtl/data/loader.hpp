#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mtl/core/formatted.hpp"
#include "mtl/core/random.hpp"
#include "mtl/data/dataset.hpp"
#include "mtl/data/shuffled_order.hpp"
#include "mtl/io/digest.hpp"

namespace mtl {

/// What a training loop reads batches from. `start_epoch(e)` goes to the beginning of epoch e,
/// whatever was read before: every epoch begins with it, also the first, and gives all its batches
/// again. `next` fills in one batch after the other and returns false after the last; tensors that
/// it has given are kept by whoever asked, so it must not write to them again. A source that can be
/// read only once is no loader. One that can pass over `n` batches for less than they take to make
/// has `void skip(int64_t n)`; a run that is resumed within an epoch asks for it.
/// One that can make the rows of one process of several for less than the whole batch has
/// `bool next_share(Batch&, int64_t rank, int64_t count)`; they are rows [n rank / count,
/// n (rank + 1) / count) of n.
template <class L>
concept Loader = requires(L& loader, const L& constant, Batch& batch, int64_t epoch) {
  { constant.batches() } -> std::convertible_to<int64_t>;  // batches in an epoch
  { constant.samples() } -> std::convertible_to<int64_t>;  // samples in an epoch
  {loader.start_epoch(epoch)};
  { loader.next(batch) } -> std::convertible_to<bool>;
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
  struct Options {
    int64_t batch_size = 32;
    bool shuffle = false;
    uint64_t seed = 0;       ///< with `shuffle`: the order of epoch e depends on (seed, e) only
    bool drop_last = false;  ///< leave out a last batch of fewer samples
    /// Done to each batch anew in each epoch, for instance to mirror pictures, or to leave labels
    /// out. What it draws from the generator depends on (seed, epoch) only.
    std::function<void(Batch&, torch::Generator&)> transform = {};
  };

  /// Error: there would be no batch.
  template <Dataset D>
  BatchLoader(D dataset, Options options) : options_(options), size_(dataset.size()) {
    if constexpr (requires { dataset.row_bytes(); }) row_bytes_ = dataset.row_bytes();
    get_ = [kept = std::make_shared<const D>(std::move(dataset))](const Tensor& indices) {
      return kept->get(indices);
    };
    check();
  }
  template <Dataset D>
  explicit BatchLoader(D dataset) : BatchLoader(std::move(dataset), Options()) {}

  const Options& options() const { return options_; }
  int64_t batches() const {
    return size_ / options_.batch_size +
           (options_.drop_last || size_ % options_.batch_size == 0 ? 0 : 1);
  }
  int64_t samples() const { return options_.drop_last ? batches() * options_.batch_size : size_; }

  /// What makes its batches, by which a resumed run knows whether they are the same: batch size,
  /// order, and where rows are cheap a digest of some of them.
  std::string text() const {
    std::string text = formatted("batches of {}", options_.batch_size);
    if (options_.shuffle) text += formatted(", shuffled with seed {}", options_.seed);
    if (options_.drop_last) text += ", without a smaller last one";
    if (options_.transform) text += formatted(", transformed with seed {}", options_.seed);
    if (row_bytes_ < 0) return text;
    const int64_t looked_at = std::min<int64_t>(size_, 64);  // all over the data
    const int64_t gaps = std::max<int64_t>(looked_at - 1, 1);
    const Batch batch = get_(torch::div(torch::arange(looked_at) * (size_ - 1), gaps, "trunc"));
    io::Digest digest;
    const auto add = [&digest](const std::string& name, const Tensor& tensor) {
      const Tensor plain = tensor.cpu().contiguous();
      digest.update(name);
      digest.update({static_cast<const char*>(plain.data_ptr()), plain.nbytes()});
    };
    for (const auto* tensors : {&batch.inputs, &batch.targets, &batch.task_sample_weights})
      for (const auto& item : *tensors) add(item.key(), item.value());
    if (batch.sample_weights.defined()) add("", batch.sample_weights);
    return text + ", digest " + digest.text();
  }

  /// To the beginning of epoch `epoch`; a new loader stands at the beginning of epoch 0.
  void start_epoch(int64_t epoch) {
    order_ = options_.shuffle ? shuffled_order(size_, options_.seed, static_cast<uint64_t>(epoch))
                              : torch::arange(size_, torch::kInt64);
    order_ = order_.narrow(0, 0, samples());
    at_ = 0;
    if (options_.transform)
      generator_ = make_generator(mix_seed(options_.seed, static_cast<uint64_t>(epoch)));
    constexpr int64_t small_epoch_bytes = int64_t{64} << 20;
    // Gathered anew each epoch, also without shuffling: whoever kept or overwrote a batch of the
    // last epoch does no harm to this one.
    if (row_bytes_ >= 0 && row_bytes_ <= small_epoch_bytes / samples()) epoch_ = gathered(order_);
  }

  /// Puts the next batch into `batch`; false, and nothing done, after the last.
  /// Error: the dataset gives other rows than it was asked for.
  bool next(Batch& batch) {
    if (!make_next(batch, 0, 1)) return false;
    if (!options_.transform) return true;
    batch.complete = false;  // unless it says so: labels may be missing behind it
    options_.transform(batch, generator_);
    return true;
  }

  /// The same of rows [n rank / count, n (rank + 1) / count) of the next batch's n. A transform has
  /// to be done to the whole batch, since what it draws is counted from the epoch's beginning.
  bool next_share(Batch& batch, int64_t rank, int64_t count) {
    if (!options_.transform) return make_next(batch, rank, count);
    Batch whole;
    if (!next(whole)) return false;
    const int64_t rows = size(whole), first = rows * rank / count;
    batch = batch_rows(whole, torch::arange(first, rows * (rank + 1) / count));
    return true;
  }

  /// Passes over the next `count` batches, or all that are left. A transform has to be done to
  /// them, since what it draws is counted from the epoch's beginning.
  void skip(int64_t count) {
    if (options_.transform) {
      Batch passed;
      while (count-- > 0 && next(passed)) continue;
      return;
    }
    if (!order_.defined()) start_epoch(0);
    at_ = std::min(samples(), at_ + std::min(count, batches()) * options_.batch_size);
  }

 private:
  void check() const {
    if (options_.batch_size < 1)
      throw Error("BatchLoader: batch_size is {}; it must be at least 1", options_.batch_size);
    if (size_ < 1) throw Error("BatchLoader: the dataset has no samples");
    if (batches() == 0)
      throw Error(
          "BatchLoader: {} samples make no full batch of {}, and drop_last leaves out the rest. "
          "Choose a smaller batch_size",
          size_, options_.batch_size);
  }

  /// Rows of the next batch, past all of which it goes; false after the last.
  bool make_next(Batch& batch, int64_t rank, int64_t processes) {
    if (!order_.defined()) start_epoch(0);
    const int64_t all = std::min(options_.batch_size, samples() - at_);
    if (all <= 0) return false;
    const int64_t first = at_ + all * rank / processes,
                  count = at_ + all * (rank + 1) / processes - first;
    if (epoch_.inputs.is_empty()) {
      batch = gathered(order_.narrow(0, first, count));
    } else {
      narrow_into(batch.inputs, epoch_.inputs, first, count);
      narrow_into(batch.targets, epoch_.targets, first, count);
      narrow_into(batch.task_sample_weights, epoch_.task_sample_weights, first, count);
      const Tensor& weights = epoch_.sample_weights;
      batch.sample_weights = weights.defined() ? weights.narrow(0, first, count) : Tensor();
      batch.complete = epoch_.complete;
    }
    at_ += all;
    return true;
  }

  /// What the dataset gives for `indices`, of which a dataset of one's own may know better.
  Batch gathered(const Tensor& indices) const {
    Batch batch = get_(indices);
    const auto check_rows = [&](std::string_view kind, std::string_view name,
                                const Tensor& tensor) {
      if (!tensor.defined() || tensor.dim() == 0 || tensor.size(0) != indices.size(0))
        throw Error("BatchLoader: the dataset was asked for {} rows and gave {} \"{}\" of shape {}",
                    indices.size(0), kind, name, shape_text(tensor));
    };
    for (const auto& item : batch.inputs) check_rows("input", item.key(), item.value());
    for (const auto& item : batch.targets) check_rows("target", item.key(), item.value());
    return batch;
  }

  /// Rows [first, first + count) of every tensor, as views. Keys stay where they already fit:
  /// making two dictionaries costs as much as the views.
  static void narrow_into(NamedTensors& part, const NamedTensors& whole, int64_t first,
                          int64_t count) {
    bool same_keys = part.size() == whole.size();
    for (size_t i = 0; same_keys && i < whole.size(); ++i)
      same_keys = part[i].key() == whole[i].key();
    if (!same_keys) part = whole;
    for (size_t i = 0; i < whole.size(); ++i)
      part[i].value() = whole[i].value().narrow(0, first, count);
  }

  Options options_;
  int64_t size_;
  int64_t row_bytes_ = -1;  // unknown: gather batch by batch
  std::function<Batch(const Tensor&)> get_;
  Tensor order_;                // [samples] of this epoch; undefined before it is asked for
  Batch epoch_;                 // all rows in that order, where they are gathered in one go
  torch::Generator generator_;  // of this epoch; none without a transform
  int64_t at_ = 0;
};

}  // namespace mtl
