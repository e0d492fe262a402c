#include "mtl/io/tensorboard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"

namespace mtl::io {
namespace {

static_assert(std::endian::native == std::endian::little, "event files are little-endian");

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0u);
    table[i] = crc;
  }
  return table;
}();

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

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

uint32_t masked_crc32c(std::string_view data) {
  uint32_t crc = ~0u;
  for (const unsigned char byte : data) crc = crc >> 8 ^ kCrcTable[(crc ^ byte) & 0xff];
  return std::rotr(~crc, 15) + 0xa282ead8u;
}

std::string event_record(std::string_view payload) {
  const std::string length = raw(uint64_t{payload.size()});
  return length + raw(masked_crc32c(length)) + std::string(payload) + raw(masked_crc32c(payload));
}

// Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
std::string version_event(double wall_time) {
  return field(1, fixed64, raw(wall_time)) + field(3, bytes, "brain.Event:2");
}

// Summary { repeated Value value = 1; }   Value { string tag = 1; float simple_value = 2; }
std::string scalar_event(std::string_view tag, double value, int64_t step, double wall_time) {
  const std::string point =
      field(1, bytes, tag) + field(2, fixed32, raw(static_cast<float>(value)));
  return field(1, fixed64, raw(wall_time)) +
         field(2, varint, varint_text(static_cast<uint64_t>(step))) +
         field(5, bytes, field(1, bytes, point));
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

void TensorBoardWriter::flush() {
  if (!stream_.flush()) throw Error("cannot write \"{}\": is the disk full?", path_.string());
}

}  // namespace mtl::io
