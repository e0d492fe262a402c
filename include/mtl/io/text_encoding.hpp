#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mtl::io {

/// What the bytes of a text file mean.
enum class TextEncoding {
  automatic,  ///< UTF-8 where the bytes are valid UTF-8 (with or without a mark), else CP932
  utf8,
  cp932,  ///< Windows' Japanese code page; iconv's strict SHIFT_JIS refuses signs such as ㎡
};

/// Bytes as UTF-8 without a byte order mark; what is UTF-8 already is handed on. `file` is what
/// errors call the text.
/// Error: bytes that are in none of the encodings asked for, with line and byte.
std::string decode_text(std::string bytes, TextEncoding encoding, std::string_view file);

/// A whole file as UTF-8.
/// Error: it cannot be read, or as `decode_text`.
std::string read_text(const std::filesystem::path& path,
                      TextEncoding encoding = TextEncoding::automatic);

}  // namespace mtl::io
