#include "mtl/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view temporary_mark = ".mtl-", temporary_end = ".tmp";

[[noreturn]] void cannot(const char* action, const fs::path& path, int reason) {
  throw Error("cannot {} \"{}\": {}", action, path.string(), std::strerror(reason));
}

fs::path temporary_of(const fs::path& target, int number) {
  const std::string end =
      std::string(temporary_mark) + std::to_string(number) + std::string(temporary_end);
  // A name that the file system just takes must not become too long by its ending.
  constexpr size_t longest_name = 255;
  const std::string name = target.filename().string().substr(0, longest_name - end.size());
  return target.parent_path() / (name + end);
}

bool is_temporary(std::string_view name) {
  if (!name.ends_with(temporary_end)) return false;
  name.remove_suffix(temporary_end.size());
  const auto digits = name.size() - (name.find_last_not_of("0123456789") + 1);
  return digits > 0 && name.substr(0, name.size() - digits).ends_with(temporary_mark);
}

// Whoever writes a temporary holds a lock on it, which ends with the process at the latest.
bool lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0; }

// Removes a temporary that nobody writes. It is locked while it goes, so that its name cannot be
// taken anew in between.
bool remove_if_stale(const fs::path& temporary) {
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (descriptor < 0) return false;
  struct ::stat opened {
  }, named{};
  const bool removed = lock(descriptor) && ::fstat(descriptor, &opened) == 0 &&
                       S_ISREG(opened.st_mode) && ::stat(temporary.c_str(), &named) == 0 &&
                       opened.st_ino == named.st_ino && ::unlink(temporary.c_str()) == 0;
  ::close(descriptor);
  return removed;
}

// A new temporary, locked; -1 where another has the name. A file system without locks serves, too:
// its temporaries never seem stale.
int create(const fs::path& temporary, const fs::path& target) {
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0 && errno == EEXIST) return -1;
  if (descriptor < 0) cannot("write", target, errno);
  struct ::stat opened {};
  const bool held = lock(descriptor) || errno != EWOULDBLOCK;
  if (held && ::fstat(descriptor, &opened) == 0 && opened.st_nlink > 0) return descriptor;
  ::close(descriptor);  // taken for stale between the two calls
  return -1;
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
  std::error_code ignored, error;
  if (fs::is_symlink(path, ignored) && fs::exists(path, ignored)) {
    target_ = fs::canonical(path, error);
    if (error) cannot("write", path, error.value());
  }
  struct ::stat existing {};
  const bool exists = ::stat(target_.c_str(), &existing) == 0;
  if (exists && S_ISDIR(existing.st_mode)) cannot("write", path, EISDIR);
  if (exists && !S_ISREG(existing.st_mode))
    throw Error("cannot write \"{}\": it is not a regular file", path.string());

  for (int number = 0; descriptor_ < 0; ++number) {
    temporary_ = temporary_of(target_, number);
    descriptor_ = create(temporary_, path);
    if (descriptor_ < 0 && remove_if_stale(temporary_)) descriptor_ = create(temporary_, path);
  }
  if (exists) ::fchmod(descriptor_, existing.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot("write", target_, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void AtomicFile::rewrite(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ::ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<::off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot("write", target_, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) cannot("flush", target_, errno);
  // Renamed while its lock is held, so that nobody takes it for stale.
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) cannot("replace", target_, errno);
  temporary_.clear();
  ::close(std::exchange(descriptor_, -1));
  flush_folder(target_.has_parent_path() ? target_.parent_path() : fs::path("."));
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

int64_t remove_stale_temporaries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (is_temporary(entry->path().filename().string())) found.push_back(entry->path());
  return std::count_if(found.begin(), found.end(), remove_if_stale);
}

}  // namespace mtl::io
