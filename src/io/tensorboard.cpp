#include "mtl/io/tensorboard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>

#include "crc32.hpp"
#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"

namespace mtl::io {
namespace {

static_assert(std::endian::native == std::endian::little, "event files are little-endian");

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// Protocol-buffer wire format: a field is its number and wire type, then the value.
enum WireType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string varint_text(uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}

std::string field(int number, WireType type, std::string_view value) {
  std::string text(1, static_cast<char>(number << 3 | type));
  if (type == bytes) text += varint_text(value.size());
  return text.append(value);
}

// Summary { repeated Value value = 1; }
// Value { string tag = 1; float simple_value = 2; Image image = 4; HistogramProto histo = 5; }
std::string value_event(std::string_view tag, std::string_view value, int64_t step,
                        double wall_time) {
  const std::string point = field(1, bytes, tag) + std::string(value);
  return field(1, fixed64, raw(wall_time)) +
         field(2, varint, varint_text(static_cast<uint64_t>(step))) +
         field(5, bytes, field(1, bytes, point));
}

constexpr int most_buckets = 30;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

uint32_t masked_crc32c(std::string_view data) {
  return std::rotr(crc32<castagnoli_polynomial>(data), 15) + 0xa282ead8u;
}

std::string event_record(std::string_view payload) {
  const std::string length = raw(uint64_t{payload.size()});
  return length + raw(masked_crc32c(length)) + std::string(payload) + raw(masked_crc32c(payload));
}

// Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
std::string version_event(double wall_time) {
  return field(1, fixed64, raw(wall_time)) + field(3, bytes, "brain.Event:2");
}

std::string scalar_event(std::string_view tag, double value, int64_t step, double wall_time) {
  return value_event(tag, field(2, fixed32, raw(static_cast<float>(value))), step, wall_time);
}

Histogram histogram_of(const Tensor& values) {
  Tensor all = in_real_parts(values.detach()).to(torch::kCPU, torch::kDouble).flatten();
  all = all.masked_select(all.isfinite()).contiguous();
  Histogram histogram;
  if (all.numel() == 0) return histogram;
  const std::span<const double> finite(all.data_ptr<double>(), static_cast<size_t>(all.numel()));
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  histogram.least = *least;
  histogram.most = *most;
  // Halves, since the difference of two large numbers need not be finite.
  const double half_width = (histogram.most / 2 - histogram.least / 2) / most_buckets;
  const int buckets = half_width > 0 ? most_buckets : 1;
  for (int b = 1; b < buckets; ++b)
    histogram.limits.push_back((histogram.least + b * half_width) + b * half_width);
  histogram.limits.push_back(histogram.most);
  histogram.counts.resize(histogram.limits.size());
  for (const double value : finite) {
    const auto limit = std::lower_bound(histogram.limits.begin(), histogram.limits.end(), value);
    ++histogram.counts[static_cast<size_t>(limit - histogram.limits.begin())];
    histogram.sum += value;
    histogram.sum_of_squares += value * value;
  }
  return histogram;
}

// HistogramProto { double min = 1, max = 2, num = 3, sum = 4, sum_squares = 5;
//                  repeated double bucket_limit = 6, bucket = 7; }   packed
std::string histogram_event(std::string_view tag, const Histogram& histogram, int64_t step,
                            double wall_time) {
  std::string limits, counts;
  double count = 0;
  for (size_t b = 0; b < histogram.limits.size(); ++b) {
    limits += raw(histogram.limits[b]);
    counts += raw(histogram.counts[b]);
    count += histogram.counts[b];
  }
  const std::string text = field(1, fixed64, raw(histogram.least)) +
                           field(2, fixed64, raw(histogram.most)) + field(3, fixed64, raw(count)) +
                           field(4, fixed64, raw(histogram.sum)) +
                           field(5, fixed64, raw(histogram.sum_of_squares)) +
                           field(6, bytes, limits) + field(7, bytes, counts);
  return value_event(tag, field(5, bytes, text), step, wall_time);
}

// Image { int32 height = 1, width = 2, colorspace = 3; bytes encoded_image_string = 4; }
std::string picture_event(std::string_view tag, std::string_view png, int64_t step,
                          double wall_time) {
  // The size stands in the first chunk, big-endian (PNG, third edition, 5.2 and 11.2.1).
  constexpr std::string_view signature("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  if (!png.starts_with(signature) || png.size() < 26)
    throw Error("picture \"{}\": the {} bytes are no PNG file", tag, png.size());
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(png[at + i]);
    return value;
  };
  // Grey, colours, grey with alpha, colours with alpha, as many channels as TensorFlow counts.
  constexpr std::array<uint8_t, 7> channels = {1, 0, 3, 3, 2, 0, 4};
  const auto colour = static_cast<uint8_t>(png[25]);
  const uint8_t depth = colour < channels.size() ? channels[colour] : 0;
  const std::string text = field(1, varint, varint_text(number(20))) +
                           field(2, varint, varint_text(number(16))) +
                           field(3, varint, varint_text(depth)) + field(4, bytes, png);
  return value_event(tag, field(4, bytes, text), step, wall_time);
}

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& directory) {
  make_folder(directory);
  std::array<char, 256> host{"localhost"};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {"localhost"};
  // TensorBoard reads the files of a directory in the order of their names: the time stands first.
  for (int attempt = 0;; ++attempt) {
    path_ = directory / fmt::format("events.out.tfevents.{:010}.{}.{}.{}",
                                    static_cast<int64_t>(now()), host.data(), ::getpid(), attempt);
    const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0)
      throw Error("cannot write \"{}\": {}", path_.string(), std::strerror(errno));
    ::close(descriptor);
    break;
  }
  stream_.open(path_, std::ios::binary | std::ios::app);
  stream_ << event_record(version_event(now()));
  flush();
}

void TensorBoardWriter::add_scalar(std::string_view tag, double value, int64_t step) {
  stream_ << event_record(scalar_event(tag, value, step, now()));
}

void TensorBoardWriter::add_histogram(std::string_view tag, const Tensor& values, int64_t step) {
  const Histogram histogram = histogram_of(values);
  if (!histogram.limits.empty())
    stream_ << event_record(histogram_event(tag, histogram, step, now()));
}

void TensorBoardWriter::add_picture(std::string_view tag, std::string_view png, int64_t step) {
  stream_ << event_record(picture_event(tag, png, step, now()));
}

void TensorBoardWriter::flush() {
  if (!stream_.flush()) throw Error("cannot write \"{}\": is the disk full?", path_.string());
}

}  // namespace mtl::io
