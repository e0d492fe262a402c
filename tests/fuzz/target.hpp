#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"

// What reads strangers' files, each as a function of bytes.

namespace fuzz {

struct Target {
  std::string_view name;  // of its folder in corpus/ as well
  void (*run)(std::string_view bytes);
  /// What its format is made of, put in by mutations.
  std::vector<std::string_view> words = {};
  /// Inputs that depend on the library's version, beside those in corpus/.
  std::vector<std::string> (*seeds)() = nullptr;
};

const std::vector<Target>& targets();

/// Ends the program where something does not hold.
inline void require(bool holds, const char* what, std::string_view detail = {}) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

/// Reads; what is wrong with the bytes may be said by an mtl::Error that names `name` and is no
/// longer than a person reads. Whether it was read to the end.
template <class Read>
bool reads(std::string_view name, const Read& read) {
  try {
    read();
    return true;
  } catch (const mtl::Error& error) {
    const std::string_view text = error.what();
    require(!text.empty() && text.size() < 20'000, "an error of no or too many words", text);
    require(text.find(name) != text.npos, "an error that does not name its file", text);
    return false;
  }
}

/// A folder of this process, removed at its end where that is not a crash.
const std::filesystem::path& folder();

/// Puts bytes into a file, without the care of AtomicFile: this happens thousands of times.
void put(const std::filesystem::path& file, std::string_view bytes);

}  // namespace fuzz
