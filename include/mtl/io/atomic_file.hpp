#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mtl::io {

/// A file that appears whole or not at all.
///
/// Bytes go to a temporary beside the target; `commit()` flushes it to the disk and renames it over
/// the target. Until then, and when anything fails, the target keeps its old content; the
/// destructor removes what was not committed. An existing target lends its permissions, a symbolic
/// link is followed, and a target that is not a regular file is refused. Every failure is an
/// `mtl::Error` that names the file and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  int descriptor_ = -1;
};

/// Writes `bytes` as the whole content of `path`, by `AtomicFile`.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The whole content of a regular file.
std::string read_file(const std::filesystem::path& path);

}  // namespace mtl::io
