#pragma once

#include <string>
#include <string_view>

namespace mtl::io {

/// The beginning of a text from a file, for an error about it: at most `most` bytes, no character
/// cut in two, and "..." where something follows. What a file holds may be as long as the file.
inline std::string excerpt(std::string_view text, size_t most = 80) {
  if (text.size() <= most) return std::string(text);
  const auto continues = [&](size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  size_t end = most;
  while (end > 0 && continues(end)) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace mtl::io
