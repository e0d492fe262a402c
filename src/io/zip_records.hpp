#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "mtl/io/file.hpp"

namespace mtl::io {

/// The files in a zip archive that are stored as they are, as torch.save does; with zip64, where
/// they are large. Error, with the archive: it is none, damaged, compressed or encrypted.
class ZipRecords {
 public:
  explicit ZipRecords(const std::filesystem::path& path);

  struct Record {
    uint64_t header = 0, size = 0;
    uint32_t checksum = 0;  // CRC-32
  };
  /// By name, which is as the archive has it.
  const std::unordered_map<std::string, Record>& records() const { return records_; }
  /// Null where there is none.
  const Record* find(const std::string& name) const;
  /// All of its bytes, into room for them. Error: they do not fit their checksum.
  void read(const std::string& name, const Record& record, char* bytes);

 private:
  [[noreturn]] void damaged(const std::string& what) const;
  std::string bytes_at(uint64_t begin, uint64_t count);

  InputFile file_;
  std::string name_;
  uint64_t size_ = 0, taken_ = 0;  // of the file; of its bytes, by records that were read
  std::unordered_map<std::string, Record> records_;
};

}  // namespace mtl::io
