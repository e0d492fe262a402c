#include "zip_records.hpp"

#include <algorithm>
#include <string_view>

#include "crc32.hpp"
#include "mtl/core/error.hpp"
#include "mtl/io/excerpt.hpp"

// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

namespace mtl::io {
namespace {

constexpr uint64_t end_bytes = 22, longest_comment = 65535;
constexpr uint64_t locator_bytes = 20, zip64_end_bytes = 56, entry_bytes = 46, header_bytes = 30;
constexpr uint64_t largest_directory = uint64_t{64} << 20;
constexpr uint32_t see_extra = 0xFFFFFFFF;  // the number stands in the zip64 field

uint64_t number(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i)
    value |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

/// Takes the numbers that are too large for an entry out of its extra fields, in their order.
bool take_zip64(std::string_view extra, std::initializer_list<uint64_t*> numbers) {
  while (extra.size() >= 4) {
    const uint64_t kind = number(extra, 0, 2), size = number(extra, 2, 2);
    if (size > extra.size() - 4) return false;
    std::string_view field = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (kind != 1) continue;
    for (uint64_t* value : numbers) {
      if (*value != see_extra) continue;
      if (field.size() < 8) return false;
      *value = number(field, 0, 8);
      field.remove_prefix(8);
    }
    return true;
  }
  return std::none_of(numbers.begin(), numbers.end(),
                      [](const uint64_t* value) { return *value == see_extra; });
}

}  // namespace

ZipRecords::ZipRecords(const std::filesystem::path& path)
    : file_(path, Pipes::refused),
      name_("\"" + path.string() + "\""),
      size_(static_cast<uint64_t>(file_.size())) {
  const uint64_t tail_bytes = std::min(size_, locator_bytes + end_bytes + longest_comment);
  const std::string tail = bytes_at(size_ - tail_bytes, tail_bytes);
  size_t end = std::string::npos;
  for (size_t at = tail.size() < end_bytes ? 0 : tail.size() - end_bytes + 1; at-- > 0;)
    if (tail.compare(at, 4, "PK\5\6") == 0 &&
        at + end_bytes + number(tail, at + 20, 2) == tail.size()) {
      end = at;
      break;
    }
  if (end == std::string::npos) damaged("it does not end as a zip archive: it may be cut off");
  uint64_t count = number(tail, end + 10, 2), bytes = number(tail, end + 12, 4),
           begin = number(tail, end + 16, 4);
  if (end >= locator_bytes && tail.compare(end - locator_bytes, 4, "PK\6\7") == 0) {
    const std::string large = bytes_at(number(tail, end - locator_bytes + 8, 8), zip64_end_bytes);
    if (!large.starts_with("PK\6\6")) damaged("its zip64 end is not where it should be");
    count = number(large, 32, 8);
    bytes = number(large, 40, 8);
    begin = number(large, 48, 8);
  }
  if (bytes > largest_directory) damaged("its directory has " + std::to_string(bytes) + " bytes");
  const std::string directory = bytes_at(begin, bytes);
  size_t at = 0;
  for (; count > 0; --count) {
    if (directory.size() - at < entry_bytes || directory.compare(at, 4, "PK\1\2") != 0)
      damaged("its directory ends too early");
    const auto field = [&](size_t where, size_t size) {
      return number(directory, at + where, size);
    };
    const uint64_t name_bytes = field(28, 2), extra_bytes = field(30, 2);
    if (directory.size() - at - entry_bytes < name_bytes + extra_bytes + field(32, 2))
      damaged("its directory ends too early");
    const std::string name = directory.substr(at + entry_bytes, name_bytes);
    uint64_t size = field(24, 4), stored = field(20, 4);
    Record record{field(42, 4), 0, static_cast<uint32_t>(field(16, 4))};
    if (!take_zip64(std::string_view(directory).substr(at + entry_bytes + name_bytes, extra_bytes),
                    {&size, &stored, &record.header}))
      damaged("an entry lacks its zip64 field");
    if (field(10, 2) != 0 || (field(8, 2) & 1) != 0 || size != stored)
      throw Error("{}: \"{}\" in it is compressed or encrypted, which torch.save does not do",
                  name_, excerpt(name));
    if (size > size_) damaged("\"" + excerpt(name) + "\" is larger than the archive");
    record.size = size;
    if (!records_.emplace(name, record).second) damaged("it has \"" + excerpt(name) + "\" twice");
    at += entry_bytes + name_bytes + extra_bytes + field(32, 2);
  }
}

const ZipRecords::Record* ZipRecords::find(const std::string& name) const {
  const auto found = records_.find(name);
  return found == records_.end() ? nullptr : &found->second;
}

void ZipRecords::read(const std::string& name, const Record& record, char* bytes) {
  const std::string header = bytes_at(record.header, header_bytes);
  if (!header.starts_with("PK\3\4")) damaged("\"" + excerpt(name) + "\" is not where it should be");
  const uint64_t begin =
      record.header + header_bytes + number(header, 26, 2) + number(header, 28, 2);
  if (begin > size_ || record.size > size_ - begin)
    damaged("\"" + excerpt(name) + "\" reaches beyond the end");
  // Records that lie in each other would together be larger than the file.
  taken_ += record.size;
  if (taken_ > size_) damaged("its records overlap");
  file_.go_to(static_cast<int64_t>(begin));
  file_.read(bytes, record.size);
  if (crc32<zip_polynomial>({bytes, record.size}) != record.checksum)
    damaged("\"" + excerpt(name) + "\" does not fit its checksum (CRC-32)");
}

void ZipRecords::damaged(const std::string& what) const {
  throw Error("{}: {}; the file is damaged or none of torch.save's", name_, what);
}

std::string ZipRecords::bytes_at(uint64_t begin, uint64_t count) {
  if (begin > size_ || count > size_ - begin) damaged("it points beyond its end");
  std::string bytes(count, '\0');
  file_.go_to(static_cast<int64_t>(begin));
  file_.read(bytes.data(), count);
  return bytes;
}

}  // namespace mtl::io
