#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "mtl/io/file.hpp"

namespace mtl::io {

/// A file that appears whole or not at all.
///
/// Bytes go to a temporary beside the target, "<target>.mtl-<n>.tmp"; `commit()` flushes it to the
/// disk and renames it over the target. Until then, and when anything fails, the target keeps its
/// old content; the destructor removes what was not committed. A process that is killed leaves its
/// temporary: the next writer of the same target removes it, and so does
/// `remove_stale_temporaries`. An existing target lends its permissions, a symbolic link is
/// followed, and a target that is not a regular file is refused.
/// Error: whatever the system refuses, with the file and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends.
  void write(std::string_view bytes);
  /// Replaces bytes already written, from byte `offset` on.
  void rewrite(uint64_t offset, std::string_view bytes);
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  int descriptor_ = -1;  // locked, which tells a temporary at work from one left behind
};

/// Writes `bytes` as the whole content of `path`, by `AtomicFile`.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Removes the temporaries of `AtomicFile` in `folder` that no process is writing: those of
/// processes that were killed. Returns how many there were; none where there is no such folder.
int64_t remove_stale_temporaries(const std::filesystem::path& folder);

}  // namespace mtl::io
