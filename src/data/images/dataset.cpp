#include "mtl/data/images/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/data/dataset.hpp"

namespace mtl {

struct ImageDataset::State {
  std::vector<std::filesystem::path> files;
  Options options;

  std::mutex mutex;  // guards all below
  std::vector<std::shared_ptr<const images::Image>> cache;
  int64_t cached_bytes = 0;
  std::map<int64_t, images::ImageError> failures;
  std::map<int64_t, std::vector<images::Notice>> notices;

  std::shared_ptr<const images::Image> image(int64_t index);
  images::Decoded load(int64_t index) const;
  void keep(int64_t index, const std::shared_ptr<const images::Image>& image,
            std::vector<images::Notice> noticed);
};

images::Decoded ImageDataset::State::load(int64_t index) const {
  images::Decoded decoded = read(files[static_cast<size_t>(index)], options.read);
  if (!options.prepare) return decoded;
  images::Random random(0, index, 0);
  try {
    decoded.image = options.prepare(std::move(decoded.image), random);
  } catch (const Error& error) {
    throw Error("{}: {}", files[static_cast<size_t>(index)].string(), error.what());
  }
  return decoded;
}

void ImageDataset::State::keep(int64_t index, const std::shared_ptr<const images::Image>& image,
                               std::vector<images::Notice> noticed) {
  const std::lock_guard lock(mutex);
  if (!noticed.empty()) notices.insert_or_assign(index, std::move(noticed));
  auto& slot = cache[static_cast<size_t>(index)];
  const auto bytes = static_cast<int64_t>(image->pixels.size());
  if (slot || cached_bytes + bytes > options.cache_bytes) return;
  slot = image;
  cached_bytes += bytes;
}

std::shared_ptr<const images::Image> ImageDataset::State::image(int64_t index) {
  {
    const std::lock_guard lock(mutex);
    if (const auto& cached = cache[static_cast<size_t>(index)]) return cached;
    if (const auto failed = failures.find(index); failed != failures.end()) throw failed->second;
  }
  try {
    images::Decoded decoded = load(index);
    auto image = std::make_shared<const images::Image>(std::move(decoded.image));
    keep(index, image, std::move(decoded.notices));
    return image;
  } catch (const images::ImageError& error) {
    const std::lock_guard lock(mutex);
    failures.emplace(index, error);
    throw;
  }
}

ImageDataset::ImageDataset(std::vector<std::filesystem::path> files, NamedTensors targets,
                           Options options, Tensor sample_weights, NamedTensors task_sample_weights)
    : state_(std::make_shared<State>()),
      rows_(files.size()),
      targets_(std::move(targets)),
      sample_weights_(std::move(sample_weights)),
      task_sample_weights_(std::move(task_sample_weights)) {
  if (files.empty()) throw Error("ImageDataset: no picture files were given");
  std::iota(rows_.begin(), rows_.end(), 0);
  for (const auto& target : targets_) {
    if (!target.value().defined() || target.value().dim() < 1 || target.value().size(0) != size()) {
      throw Error(
          "ImageDataset: target \"{}\" is {}, but there are {} files; its first dimension must "
          "count them",
          target.key(), shape_text(target.value()), files.size());
    }
    complete_ = complete_ && is_complete(target.value());
  }
  check_sample_weights(sample_weights_, task_sample_weights_, size());
  state_->cache.resize(files.size());
  state_->files = std::move(files);
  state_->options = std::move(options);
}

int64_t ImageDataset::index(int64_t row) const {
  if (row < 0 || row >= size()) throw Error("ImageDataset: there is no row {} of {}", row, size());
  return rows_[static_cast<size_t>(row)];
}

const std::filesystem::path& ImageDataset::file(int64_t row) const {
  return state_->files[static_cast<size_t>(index(row))];
}

std::shared_ptr<const images::Image> ImageDataset::image(int64_t row) const {
  return state_->image(index(row));
}

ImageDataset ImageDataset::rows(const Tensor& indices) const {
  data_detail::check_indices(indices, size(), "ImageDataset");
  ImageDataset part = *this;
  const Tensor chosen = indices.to(torch::kCPU).contiguous();
  part.rows_.clear();
  for (int64_t i = 0; i < chosen.numel(); ++i)
    part.rows_.push_back(rows_[static_cast<size_t>(chosen.data_ptr<int64_t>()[i])]);
  part.complete_ = true;
  for (auto& target : part.targets_) {
    target.value() = target.value().index_select(0, chosen);
    part.complete_ = part.complete_ && is_complete(target.value());
  }
  if (part.sample_weights_.defined())
    part.sample_weights_ = part.sample_weights_.index_select(0, chosen);
  for (auto& weights : part.task_sample_weights_)
    weights.value() = weights.value().index_select(0, chosen);
  return part;
}

Tensor ImageDataset::usable(int64_t workers) const {
  std::vector<char> good(rows_.size(), 0);
  std::atomic<int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    for (int64_t row = next++; row < size(); row = next++) {
      try {
        image(row);
        good[static_cast<size_t>(row)] = 1;
      } catch (const images::ImageError&) {  // kept as a finding
      } catch (...) {
        const std::lock_guard lock(mutex);
        error = std::current_exception();
        return;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int64_t w = 1; w < std::min(workers, size()); ++w) threads.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
  std::vector<int64_t> rows;
  for (size_t row = 0; row < good.size(); ++row) {
    if (good[row] != 0) rows.push_back(static_cast<int64_t>(row));
  }
  return torch::tensor(rows, torch::kInt64);
}

std::vector<ImageFinding> ImageDataset::findings() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<ImageFinding> result;
  for (size_t row = 0; row < rows_.size(); ++row) {
    const auto add = [&](images::Flaw flaw, const std::string& text, bool usable) {
      result.push_back({static_cast<int64_t>(row), state_->files[static_cast<size_t>(rows_[row])],
                        flaw, text, usable});
    };
    if (const auto failed = state_->failures.find(rows_[row]); failed != state_->failures.end()) {
      add(failed->second.flaw(), failed->second.what(), false);
    }
    if (const auto noticed = state_->notices.find(rows_[row]); noticed != state_->notices.end()) {
      for (const images::Notice& notice : noticed->second) add(notice.flaw, notice.text, true);
    }
  }
  return result;
}

int64_t ImageDataset::cached_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->cached_bytes;
}

std::string summary(const std::vector<ImageFinding>& findings, int64_t pictures) {
  if (findings.empty()) return {};
  const auto unusable = std::count_if(findings.begin(), findings.end(),
                                      [](const ImageFinding& f) { return !f.usable; });
  std::string text =
      fmt::format("{} of {} pictures cannot be used, {} remarks on others:\n", unusable, pictures,
                  static_cast<int64_t>(findings.size()) - unusable);
  for (const bool usable : {false, true}) {
    for (const ImageFinding& finding : findings) {
      if (finding.usable == usable)
        text += fmt::format("  {}: {}\n", name(finding.flaw), finding.text);
    }
  }
  return text;
}

}  // namespace mtl
