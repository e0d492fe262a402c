#include "mtl/io/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "mtl/core/error.hpp"

namespace mtl::io {
namespace {

// Who left the number of his process in the lock file.
std::string holder(int descriptor) {
  char text[32] = {};
  const ::ssize_t length = ::pread(descriptor, text, sizeof text - 1, 0);
  return length > 0 ? "process " + std::string(text, static_cast<std::size_t>(length))
                    : "another process";
}

// Whether `path` still names the file that was opened: its last holder removed it in the end.
bool is_still_there(int descriptor, const std::filesystem::path& path) {
  struct ::stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path) : path_(path) {
  for (;;) {
    // What a link leads to is not emptied: folders come from strangers.
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor_ < 0 && errno == ELOOP)
      throw Error("cannot lock \"{}\": it is a link, expected a file or nothing", path.string());
    if (descriptor_ < 0) throw Error("cannot lock \"{}\": {}", path.string(), std::strerror(errno));
    const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno == EWOULDBLOCK) {
      const std::string who = holder(descriptor_);
      ::close(descriptor_);
      throw Error("\"{}\" is held by {}; wait until it ends, or take another folder", path.string(),
                  who);
    }
    if (is_still_there(descriptor_, path)) break;
    ::close(descriptor_);
  }
  const std::string number = std::to_string(::getpid());
  // The number is for people: a lock without it works as well.
  if (::ftruncate(descriptor_, 0) == 0 &&
      ::pwrite(descriptor_, number.data(), number.size(), 0) < 0)
    return;
}

FileLock::~FileLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace mtl::io
