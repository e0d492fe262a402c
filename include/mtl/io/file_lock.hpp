#pragma once

#include <filesystem>

namespace mtl::io {

/// Keeps others away from a file or folder for as long as it lives: other processes, and other
/// objects of this one. The lock is a file of its own beside or in what it guards; it is made here
/// and removed in the end. The lock of a process that was killed is gone with it. On a file system
/// without locks it guards nothing.
/// Error: somebody else holds it, with the number of the process; the path is a link.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace mtl::io
