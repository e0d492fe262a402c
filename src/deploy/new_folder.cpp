#include "new_folder.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"

namespace mtl::deploy_detail {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void refuse(const fs::path& target) {
  throw Error("cannot write the folder \"{}\": {}", target.string(), std::strerror(errno));
}

/// A folder by its own name: without the slash at its end, which would be a name, too, and where
/// links lead, which stay.
fs::path named(const fs::path& given) {
  if (given.empty()) throw Error("a folder to write needs a name; found an empty path");
  std::error_code error;
  const fs::path path = fs::weakly_canonical(fs::absolute(given), error);
  if (error) throw Error("cannot write the folder \"{}\": {}", given.string(), error.message());
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

NewFolder::NewFolder(const fs::path& target) : target_(named(target)) {
  io::make_folder_of(target_);
  const std::string start = (target_.parent_path() / ".").string() + target_.filename().string() +
                            ".mtl-" + std::to_string(::getpid()) + "-";
  for (int64_t k = 0;; ++k) {  // another thread's, or that of a process that is gone, has a name
    path_ = start + std::to_string(k);
    if (::mkdir(path_.c_str(), 0777) == 0) return;
    if (errno != EEXIST || k == 1000) {
      path_.clear();
      refuse(target_);
    }
  }
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

void NewFolder::commit() {
  if (::rename(path_.c_str(), target_.c_str()) == 0) {  // nothing there, or an empty folder
    path_.clear();
    return;
  }
  // The old one gets the new one's name, and the destructor removes it.
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0) return;
  // Not every file system can exchange two names at once.
  const fs::path old = path_.string() + ".old";
  if (::rename(target_.c_str(), old.c_str()) != 0) refuse(target_);
  if (::rename(path_.c_str(), target_.c_str()) != 0) {
    const int reason = errno;
    ::rename(old.c_str(), target_.c_str());
    errno = reason;
    refuse(target_);
  }
  path_ = old;
}

}  // namespace mtl::deploy_detail
