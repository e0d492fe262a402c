#include "mtl/data/images/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/data/shuffled_order.hpp"

namespace mtl {
namespace {

struct Made {
  Tensor pictures;  // [rows, 3, H, W], undefined where there are none
  std::vector<int64_t> rows;
  std::exception_ptr error;
};

/// One epoch's way from rows to pictures. Made by the caller, worked on by all.
class Epoch {
 public:
  Epoch(const ImageDataset& dataset, const ImageLoader::Options& options, int64_t number,
        int64_t batches, const Tensor& order)
      : dataset_(dataset),
        options_(options),
        number_(number),
        batches_(batches),
        order_(order.data_ptr<int64_t>(), order.data_ptr<int64_t>() + order.numel()),
        ahead_(options.prefetch * std::min(options.workers, batches)) {
    for (int64_t w = 0; w < std::min(options.workers, batches); ++w)
      workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }

  /// The next batch in order; false after the last.
  bool take(Made& made) {
    if (given_ == batches_) return false;
    if (options_.workers == 0) {
      made = make(given_++);
      return true;
    }
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return ready_.contains(given_); });
    made = std::move(ready_.extract(given_).mapped());
    ++given_;
    lock.unlock();
    may_begin_.notify_one();
    return true;
  }

  void skip(int64_t count) {
    {
      const std::lock_guard lock(mutex_);
      given_ = std::min(batches_, given_ + count);
      begun_ = std::max(begun_, given_);
      ready_.erase(ready_.begin(), ready_.lower_bound(given_));
    }
    may_begin_.notify_all();
  }

 private:
  void work(const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock(mutex_);
      const auto may = [this] { return begun_ == batches_ || begun_ < given_ + ahead_; };
      if (!may_begin_.wait(lock, stop, may) || stop.stop_requested() || begun_ == batches_) return;
      const int64_t batch = begun_++;
      lock.unlock();
      Made made = make(batch);
      lock.lock();
      if (batch >= given_) ready_.emplace(batch, std::move(made));
      lock.unlock();
      finished_.notify_one();
    }
  }

  Made make(int64_t batch) const {
    Made made;
    try {
      fill(batch, made);
    } catch (...) {
      made.error = std::current_exception();
    }
    return made;
  }

  void fill(int64_t batch, Made& made) const {
    const auto total = static_cast<int64_t>(order_.size());
    const int64_t begin = batch * options_.batch_size,
                  end = std::min(begin + options_.batch_size, total);
    int64_t width = 0, height = 0;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = order_[static_cast<size_t>(i)];
      std::shared_ptr<const images::Image> image = decoded(row);
      if (!image) continue;
      if (options_.transform) {
        image = std::make_shared<const images::Image>(transformed(*image, row));
      }
      if (!made.pictures.defined()) {
        width = image->width;
        height = image->height;
        made.pictures = torch::empty({end - begin, 3, height, width}, torch::kFloat32,
                                     torch::MemoryFormat::ChannelsLast);
      }
      if (image->width != width || image->height != height) {
        throw Error(
            "{}: {} x {} pixels after the transform, but others in its batch are {} x {}. End the "
            "transform with a Resize or a crop",
            dataset_.file(row).string(), image->width, image->height, width, height);
      }
      const auto done = static_cast<int64_t>(made.rows.size());
      options_.normalize(*image, made.pictures.data_ptr<float>() + done * 3 * width * height);
      made.rows.push_back(row);
    }
    if (made.pictures.defined())
      made.pictures = made.pictures.narrow(0, 0, static_cast<int64_t>(made.rows.size()));
  }

  images::Image transformed(const images::Image& image, int64_t row) const {
    images::Random random(options_.seed, row, number_);
    try {
      return options_.transform(image, random);
    } catch (const Error& error) {
      throw Error("{}: {}", dataset_.file(row).string(), error.what());
    }
  }

  std::shared_ptr<const images::Image> decoded(int64_t row) const {
    try {
      return dataset_.image(row);
    } catch (const images::ImageError&) {  // the dataset keeps it as a finding
      return nullptr;
    }
  }

  const ImageDataset& dataset_;
  const ImageLoader::Options& options_;
  int64_t number_, batches_;
  std::vector<int64_t> order_;
  int64_t ahead_;

  std::mutex mutex_;  // guards all below
  std::condition_variable_any may_begin_;
  std::condition_variable finished_;
  int64_t begun_ = 0, given_ = 0;
  std::map<int64_t, Made> ready_;
  std::vector<std::jthread> workers_;  // last: they stop before what they use goes
};

}  // namespace

struct ImageLoader::State {
  ImageDataset dataset;
  ImageLoader::Options options;
  Tensor rows = torch::empty({0}, torch::kInt64);
  bool any_usable = false;
  std::unique_ptr<Epoch> epoch = nullptr;  // last: its workers use the rest
};

ImageLoader::ImageLoader(ImageDataset dataset, ImageLoader::Options options)
    : state_(new State{.dataset = std::move(dataset), .options = std::move(options)}) {
  const ImageLoader::Options& o = state_->options;
  if (o.batch_size < 1)
    throw Error("ImageLoader: batch_size is {}; it must be at least 1", o.batch_size);
  if (o.workers < 0 || o.prefetch < 1) {
    throw Error("ImageLoader: workers is {} and prefetch {}; expected at least 0 and 1", o.workers,
                o.prefetch);
  }
  for (size_t c = 0; c < o.normalize.mean.size(); ++c) {
    const double mean = o.normalize.mean[c], deviation = o.normalize.deviation[c];
    if (!(std::isfinite(mean) && deviation > 0 && std::isfinite(deviation)))
      throw Error(
          "ImageLoader: normalize has mean {} and deviation {}; they must be finite, and a "
          "deviation above 0",
          mean, deviation);
  }
  if (batches() == 0) {
    throw Error(
        "ImageLoader: {} pictures make no full batch of {}, and drop_last leaves out the rest. "
        "Choose a smaller batch_size",
        state_->dataset.size(), o.batch_size);
  }
}

std::string ImageLoader::text() const {
  const Options& o = state_->options;
  return fmt::format("batches of {}, {} with seed {}{}", o.batch_size,
                     o.shuffle ? "shuffled" : "in order", o.seed,
                     o.drop_last ? ", without a smaller last one" : "");
}

ImageLoader::ImageLoader(ImageLoader&&) noexcept = default;
ImageLoader& ImageLoader::operator=(ImageLoader&&) noexcept = default;
ImageLoader::~ImageLoader() = default;

const ImageDataset& ImageLoader::dataset() const { return state_->dataset; }
const Tensor& ImageLoader::rows() const { return state_->rows; }

int64_t ImageLoader::batches() const {
  const int64_t rest = state_->options.drop_last ? 0 : state_->options.batch_size - 1;
  return (state_->dataset.size() + rest) / state_->options.batch_size;
}

int64_t ImageLoader::samples() const {
  return state_->options.drop_last ? batches() * state_->options.batch_size
                                   : state_->dataset.size();
}

void ImageLoader::start_epoch(int64_t epoch) {
  State& s = *state_;
  s.epoch.reset();  // stops the workers of an epoch that was not finished
  const int64_t size = s.dataset.size();
  const Tensor order = s.options.shuffle
                           ? shuffled_order(size, s.options.seed, static_cast<uint64_t>(epoch))
                           : torch::arange(size, torch::kInt64);
  s.any_usable = false;
  s.epoch = std::make_unique<Epoch>(s.dataset, s.options, epoch, batches(),
                                    order.narrow(0, 0, samples()).contiguous());
}

bool ImageLoader::next(Batch& batch) {
  State& s = *state_;
  if (!s.epoch) start_epoch(0);
  Made made;
  do {
    if (!s.epoch->take(made)) {
      if (s.any_usable) return false;
      throw Error("ImageLoader: none of the {} pictures can be used.\n{}", samples(),
                  summary(s.dataset.findings(), s.dataset.size()));
    }
    if (made.error) std::rethrow_exception(made.error);
  } while (made.rows.empty());  // every file of that batch was bad
  s.any_usable = true;
  s.rows = torch::tensor(made.rows, torch::kInt64);
  batch = Batch();
  batch.inputs.insert(s.options.input, std::move(made.pictures));
  for (const auto& target : s.dataset.targets()) {
    batch.targets.insert(target.key(), target.value().index_select(0, s.rows));
  }
  if (s.dataset.sample_weights().defined())
    batch.sample_weights = s.dataset.sample_weights().index_select(0, s.rows);
  for (const auto& weights : s.dataset.task_sample_weights()) {
    batch.task_sample_weights.insert(weights.key(), weights.value().index_select(0, s.rows));
  }
  batch.complete = s.dataset.complete();
  return true;
}

void ImageLoader::skip(int64_t count) {
  if (!state_->epoch) start_epoch(0);
  state_->epoch->skip(count);
  state_->any_usable = state_->any_usable || count > 0;  // they were, when they were read
}

}  // namespace mtl
