#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace mtl::io {

/// The beginning of a text from a file, for an error about it: at most `most` bytes, no character
/// cut in two, and "..." where something follows. What a file holds may be as long as the file. A
/// NUL, at which `what()` would end, becomes a question mark.
inline std::string excerpt(std::string_view text, size_t most = 80) {
  const auto shown = [](std::string_view part, const char* more) {
    std::string all = std::string(part) + more;
    std::replace(all.begin(), all.end(), '\0', '?');
    return all;
  };
  if (text.size() <= most) return shown(text, "");
  const auto continues = [&](size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  size_t end = most;
  while (end > 0 && continues(end)) --end;
  return shown(text.substr(0, end), "...");
}

}  // namespace mtl::io
