#pragma once

#include <filesystem>
#include <string>

#include "mtl/io/file.hpp"

/// A CSV file of any length in blocks of whole rows, each small: what is read is a block and the
/// beginning of the next row.
class CsvBlocks {
 public:
  /// Error: it cannot be read.
  explicit CsvBlocks(const std::filesystem::path& path);

  /// The next rows, with their line ends; false after the last. A byte order mark is passed over.
  /// Error: a row of more than 16 MiB.
  bool next(std::string& rows);

 private:
  mtl::io::InputFile file_;
  std::string name_, rest_;  // what is read and not yet handed out
  bool first_ = true;
};
