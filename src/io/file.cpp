#include "mtl/io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>

#include "mtl/core/error.hpp"
#include "mtl/io/excerpt.hpp"

namespace mtl::io {
namespace {

[[noreturn]] void cannot_read(const std::string& name, int reason) {
  throw Error("cannot read \"{}\": {}", name, std::strerror(reason));
}

// More bytes than memory has room for are the file's fault, not the program's.
void make_room(std::string& bytes, size_t size, const std::string& name) {
  try {
    bytes.resize(size);
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error("cannot read \"{}\": there is no memory for its {} bytes", name, size);
  }
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path, Pipes pipes) : name_(path.string()) {
  struct ::stat found {};
  if (::stat(path.c_str(), &found) != 0) cannot_read(name_, errno);
  if (S_ISDIR(found.st_mode)) cannot_read(name_, EISDIR);
  if (!S_ISREG(found.st_mode) && !S_ISFIFO(found.st_mode))
    throw Error("cannot read \"{}\": it is neither a regular file nor a pipe", name_);
  if (S_ISFIFO(found.st_mode) && pipes == Pipes::refused)
    throw Error("cannot read \"{}\": it is a pipe, expected a regular file", name_);
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) cannot_read(name_, errno);
  if (S_ISREG(found.st_mode)) size_ = found.st_size;
}

InputFile::~InputFile() { ::close(descriptor_); }

size_t InputFile::read_some(char* bytes, size_t count) {
  size_t done = 0;
  while (done < count) {
    const ::ssize_t got = ::read(descriptor_, bytes + done, count - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) cannot_read(name_, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  at_ += static_cast<int64_t>(done);
  return done;
}

void InputFile::read(char* bytes, size_t count) {
  if (read_some(bytes, count) != count)
    throw Error("cannot read \"{}\": it ends after {} bytes, in the middle of what it promises",
                name_, at_);
}

void InputFile::go_to(int64_t place) {
  if (::lseek(descriptor_, place, SEEK_SET) < 0) cannot_read(name_, errno);
  at_ = place;
}

std::string read_file(const std::filesystem::path& path, int64_t most) {
  InputFile file(path);
  const auto check = [&](int64_t size, std::string_view more) {
    if (size > most)
      throw Error("cannot read \"{}\": it has {} bytes{}, expected at most {}", path.string(), size,
                  more, most);
  };
  std::string bytes;
  if (file.size() >= 0) {
    check(file.size(), "");
    make_room(bytes, static_cast<size_t>(file.size()), path.string());
    file.read(bytes.data(), bytes.size());
    return bytes;
  }
  for (size_t piece = 1 << 16;; piece = bytes.size()) {  // a pipe says nothing of its length
    const size_t before = bytes.size();
    make_room(bytes, before + piece, path.string());
    const size_t got = file.read_some(bytes.data() + before, piece);
    if (got < piece) {
      bytes.resize(before + got);
      check(std::ssize(bytes), "");
      return bytes;
    }
    check(std::ssize(bytes), " or more");
  }
}

std::filesystem::path file_within(const std::filesystem::path& folder, const std::string& name) {
  namespace fs = std::filesystem;
  if (name.empty() || name == "." ||
      name.find_first_of(std::string_view("/\\\0", 3)) != name.npos || name.find("..") != name.npos)
    throw Error("\"{}\" is no name of a file in its folder", excerpt(name));
  const fs::path path = folder / name;
  std::error_code missing, ignored;
  const fs::path real = fs::canonical(path, missing);
  if (missing) return path;  // whoever reads it says why
  if (real.parent_path() != fs::canonical(folder, ignored))
    throw Error("\"{}\" is a link that leads out of its folder", name);
  if (!fs::is_regular_file(real, ignored)) throw Error("\"{}\" is no regular file", name);
  return path;
}

void make_folder(const std::filesystem::path& path) {
  if (path.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(path, error);
  // A path that ends in a slash may give an error though the folder is there.
  std::error_code ignored;
  if (error && !std::filesystem::is_directory(path, ignored))
    throw Error("cannot make the folder \"{}\": {}", path.string(), error.message());
}

void make_folder_of(const std::filesystem::path& file) { make_folder(file.parent_path()); }

}  // namespace mtl::io
