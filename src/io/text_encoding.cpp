#include "mtl/io/text_encoding.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <cerrno>
#include <cstring>

#include "mtl/core/error.hpp"
#include "mtl/io/file.hpp"

namespace mtl::io {
namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";

/// Bytes of the valid UTF-8 character that begins at `text`, or 0.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies above U+10FFFF are shut out by the second byte.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

struct Utf8Check {
  size_t first_bad = std::string_view::npos;
  size_t bad = 0;   // bytes that belong to no character
  size_t wide = 0;  // characters of three bytes or more: by chance they are rare in CP932
};

Utf8Check check_utf8(std::string_view text) {
  Utf8Check check;
  for (size_t at = 0; at < text.size();) {
    if (at + 8 <= text.size()) {  // eight bytes of ASCII at once
      uint64_t eight;
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    const size_t length = utf8_length(text.substr(at));
    if (length == 0) {
      if (check.bad++ == 0) check.first_bad = at;
      ++at;
    } else {
      if (length >= 3) ++check.wide;
      at += length;
    }
  }
  return check;
}

/// "FILE, line 3, byte 17"
std::string place(std::string_view file, std::string_view bytes, size_t at) {
  int64_t line = 1;
  size_t begin = 0;
  for (size_t i = 0; i < at; ++i) {
    if (bytes[i] == '\n') {
      ++line;
      begin = i + 1;
    }
  }
  return fmt::format("{}, line {}, byte {}", file, line, at - begin + 1);
}

std::string cp932_to_utf8(std::string_view bytes, std::string_view file) {
  iconv_t converter = iconv_open("UTF-8", "CP932");
  // NOLINTNEXTLINE(performance-no-int-to-ptr): as POSIX has it
  if (converter == reinterpret_cast<iconv_t>(-1)) {
    throw Error(
        "{}: this system's iconv does not know CP932. Install the C library's character sets, or "
        "convert the file to UTF-8",
        file);
  }
  // Two bytes become three as a rule; a half-width kana becomes three alone.
  std::string text(bytes.size() / 2 * 3 + 8, '\0');
  char* in = const_cast<char*>(bytes.data());  // iconv's signature; it only reads
  size_t in_left = bytes.size(), done = 0, result = 0;
  int reason = 0;
  do {
    if (text.size() - done < 8) text.resize(text.size() + 3 * in_left + 8);
    char* out = text.data() + done;
    size_t out_left = text.size() - done;
    result = iconv(converter, &in, &in_left, &out, &out_left);
    reason = errno;
    done = text.size() - out_left;
  } while (result == static_cast<size_t>(-1) && reason == E2BIG);
  iconv_close(converter);
  if (result == static_cast<size_t>(-1)) {
    const std::string where = place(file, bytes, bytes.size() - in_left);
    if (reason == EINVAL)
      throw Error("{}: the file ends in the middle of a character. It was cut off; fetch it again",
                  where);
    throw Error(
        "{}: the bytes here are neither UTF-8 nor CP932. The file is damaged, or it is in another "
        "encoding: convert it to UTF-8",
        where);
  }
  text.resize(done);
  return text;
}

}  // namespace

std::string decode_text(std::string bytes, TextEncoding encoding, std::string_view file) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF"))
    throw Error("{} is in UTF-16. Save it as UTF-8 or CP932", file);
  if (encoding == TextEncoding::cp932) return cp932_to_utf8(bytes, file);

  const bool marked = bytes.starts_with(utf8_mark);
  const Utf8Check check = check_utf8(bytes);
  if (check.bad == 0) {
    if (marked) bytes.erase(0, utf8_mark.size());
    return bytes;
  }
  // A damaged byte or two must not turn a UTF-8 file into wrong CP932 characters.
  if (encoding == TextEncoding::utf8 || marked || check.wide > 4 * check.bad) {
    throw Error(
        "{}: byte 0x{:02X} is not UTF-8. The file is damaged or was cut off; fetch it again",
        place(file, bytes, check.first_bad), static_cast<unsigned char>(bytes[check.first_bad]));
  }
  return cp932_to_utf8(bytes, file);
}

std::string read_text(const std::filesystem::path& path, TextEncoding encoding) {
  return decode_text(read_file(path), encoding, path.string());
}

}  // namespace mtl::io
