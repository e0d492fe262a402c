#include "mtl/data/loader.hpp"

#include <algorithm>

#include "mtl/core/error.hpp"
#include "mtl/data/shuffled_order.hpp"

namespace mtl {
namespace {

constexpr int64_t small_epoch_bytes = int64_t{64} << 20;

/// Rows [first, first + count) of every tensor, as views. Keys stay where they already fit: making
/// two dictionaries costs as much as the views.
void narrow_into(NamedTensors& part, const NamedTensors& whole, int64_t first, int64_t count) {
  bool same_keys = part.size() == whole.size();
  for (size_t i = 0; same_keys && i < whole.size(); ++i) {
    same_keys = part[i].key() == whole[i].key();
  }
  if (!same_keys) part = whole;
  for (size_t i = 0; i < whole.size(); ++i) {
    part[i].value() = whole[i].value().narrow(0, first, count);
  }
}

}  // namespace

void BatchLoader::check() const {
  if (options_.batch_size < 1) {
    throw Error("BatchLoader: batch_size is {}; it must be at least 1.", options_.batch_size);
  }
  if (size_ < 1) throw Error("BatchLoader: the dataset has no samples.");
  if (batches() == 0) {
    throw Error(
        "BatchLoader: {} samples make no full batch of {}, and drop_last leaves out the "
        "rest. Choose a smaller batch_size.",
        size_, options_.batch_size);
  }
}

int64_t BatchLoader::batches() const {
  const int64_t rest = options_.drop_last ? 0 : options_.batch_size - 1;
  return (size_ + rest) / options_.batch_size;
}

int64_t BatchLoader::samples() const {
  return options_.drop_last ? batches() * options_.batch_size : size_;
}

void BatchLoader::start_epoch(int64_t epoch) {
  order_ = options_.shuffle ? shuffled_order(size_, options_.seed, static_cast<uint64_t>(epoch))
                            : torch::arange(size_, torch::kInt64);
  order_ = order_.narrow(0, 0, samples());
  at_ = 0;
  const bool in_one_go = row_bytes_ >= 0 && row_bytes_ * samples() <= small_epoch_bytes;
  // Gathered anew each epoch, also without shuffling: whoever kept or overwrote a batch of the
  // last epoch does no harm to this one.
  if (in_one_go) epoch_ = get_(order_);
}

bool BatchLoader::next(Batch& batch) {
  if (!order_.defined()) start_epoch(0);
  const int64_t count = std::min(options_.batch_size, samples() - at_);
  if (count <= 0) return false;
  if (epoch_.inputs.is_empty()) {
    batch = get_(order_.narrow(0, at_, count));
  } else {
    narrow_into(batch.inputs, epoch_.inputs, at_, count);
    narrow_into(batch.targets, epoch_.targets, at_, count);
    batch.complete = epoch_.complete;
    batch.sample_weights = epoch_.sample_weights.defined()
                               ? epoch_.sample_weights.narrow(0, at_, count)
                               : Tensor();
    narrow_into(batch.task_sample_weights, epoch_.task_sample_weights, at_, count);
  }
  at_ += count;
  return true;
}

}  // namespace mtl
