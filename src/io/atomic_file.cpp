#include "mtl/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "mtl/core/error.hpp"

namespace mtl::io {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const char* action, const fs::path& path, int reason) {
  throw Error("cannot {} \"{}\": {}.", action, path.string(), std::strerror(reason));
}

// Some file systems cannot flush a folder; the rename itself has happened by then, so that is no
// failure.
void flush_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& path) : target_(path) {
  std::error_code ignored;
  if (fs::is_symlink(path, ignored) && fs::exists(path, ignored)) target_ = fs::canonical(path);
  struct ::stat existing {};
  const bool exists = ::stat(target_.c_str(), &existing) == 0;
  if (exists && S_ISDIR(existing.st_mode)) fail("write", path, EISDIR);
  if (exists && !S_ISREG(existing.st_mode))
    throw Error("cannot write \"{}\": it is not a regular file.", path.string());

  for (int attempt = 0;; ++attempt) {
    temporary_ = target_;
    temporary_ += "." + std::to_string(::getpid()) + "." + std::to_string(attempt) + ".tmp";
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) break;
    if (errno != EEXIST) fail("write", path, errno);
  }
  if (exists) ::fchmod(descriptor_, existing.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", target_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("flush", target_, errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("close", target_, errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("replace", target_, errno);
  temporary_.clear();
  flush_folder(target_.has_parent_path() ? target_.parent_path() : fs::path("."));
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

std::string read_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) fail("read", path, error ? error.value() : ENOENT);
  if (fs::is_directory(status)) fail("read", path, EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("read", path, errno);
  std::string bytes;
  bytes.resize(fs::file_size(path, error));
  if (error) fail("read", path, error.value());
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (static_cast<std::size_t>(file.gcount()) != bytes.size())
    throw Error("cannot read \"{}\": it ended after {} of {} bytes.", path.string(), file.gcount(),
                bytes.size());
  return bytes;
}

}  // namespace mtl::io
