#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace mtl::io {

/// Whether a pipe may stand in the place of a file. In a folder of a stranger's one would be waited
/// for without an end.
enum class Pipes { read, refused };

/// A file opened for reading.
/// Error: it is missing, not readable, or neither a regular file nor a pipe; with its path and the
/// system's reason.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path, Pipes pipes = Pipes::read);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// How many bytes a regular file has, by which any claim within it is measured; -1 for a pipe.
  int64_t size() const { return size_; }

  /// The next `count` bytes, or fewer where the file ends: how many.
  size_t read_some(char* bytes, size_t count);
  /// The next `count` bytes.
  /// Error: the file ends before.
  void read(char* bytes, size_t count);
  /// What comes next is the byte at `place`, from 0. Error: it is a pipe.
  void go_to(int64_t place);

 private:
  std::string name_;
  int descriptor_ = -1;
  int64_t size_ = -1, at_ = 0;
};

/// The whole content of a file or pipe.
/// Error: as `InputFile`, more than `most` bytes, or more than memory has room for.
std::string read_file(const std::filesystem::path& path, int64_t most = INT64_MAX);

/// The path of a file in `folder` that another file there names.
/// Error: the name, or a link of that name, leads out of the folder; it is no regular file. A file
/// that is not there is none.
std::filesystem::path file_within(const std::filesystem::path& folder, const std::string& name);

/// Makes a folder, and those above it, unless it is there; nothing for an empty path.
/// Error: it cannot be made, with its path and the system's reason.
void make_folder(const std::filesystem::path& path);

/// Makes the folder that `file` is to stand in, as `make_folder`.
void make_folder_of(const std::filesystem::path& file);

}  // namespace mtl::io
