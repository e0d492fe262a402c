#include "mtl/data/images/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jpeg.hpp"
#include "mtl/io/file.hpp"
#include "png.hpp"

namespace mtl::images {
namespace {

using Bytes = std::span<const uint8_t>;

struct Format {
  std::string_view name;
  std::string_view magic;  // '?' stands for any byte
};
constexpr std::array<Format, 10> formats = {{{"JPEG", "\xFF\xD8\xFF"},
                                             {"PNG", "\x89PNG\r\n\x1A\n"},
                                             {"GIF", "GIF8"},
                                             {"BMP", "BM"},
                                             {"WebP", "RIFF????WEBP"},
                                             {"TIFF", {"II*\0", 4}},
                                             {"TIFF", {"MM\0*", 4}},
                                             {"HEIF", "????ftyp"},
                                             {"HTML or XML", "<"},
                                             {"JPEG 2000", {"\0\0\0\x0CjP", 6}}}};

bool begins_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(), [](char want, uint8_t got) {
           return want == '?' || static_cast<uint8_t>(want) == got;
         });
}

std::string_view format_of(Bytes bytes) {
  const auto* found = std::find_if(formats.begin(), formats.end(),
                                   [&](const Format& f) { return begins_with(bytes, f.magic); });
  return found == formats.end() ? std::string_view{} : found->name;
}

std::string_view promised_format(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (extension == ".jpg" || extension == ".jpeg" || extension == ".jpe") return "JPEG";
  if (extension == ".png") return "PNG";
  return {};
}

std::string content_of(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored))
    throw ImageError(Flaw::missing, fmt::format("{}: is not a regular file", file.string()));
  try {
    return io::read_file(file);
  } catch (const Error& error) {
    throw ImageError(Flaw::missing, error.what());
  }
}

}  // namespace

std::string_view name(Flaw flaw) {
  switch (flaw) {
    case Flaw::missing:
      return "missing";
    case Flaw::empty:
      return "empty";
    case Flaw::truncated:
      return "truncated";
    case Flaw::damaged:
      return "damaged";
    case Flaw::unsupported:
      return "unsupported";
    case Flaw::unknown:
      return "unknown";
    case Flaw::too_large:
      return "too large";
    case Flaw::mislabelled:
      return "mislabelled";
    case Flaw::converted:
      return "converted";
    case Flaw::repaired:
      return "repaired";
  }
  return "unknown";
}

Decoded decode(Bytes bytes, std::string_view label, const ReadOptions& options) {
  if (bytes.empty()) {
    throw ImageError(
        Flaw::empty,
        fmt::format("{}: the file is empty (0 bytes). Fetch it again or leave it out", label));
  }
  const std::string_view format = format_of(bytes);
  if (format == "JPEG") return decode_jpeg(bytes, label, options);
  if (format == "PNG") return decode_png(bytes, label, options);
  if (format.empty()) {
    throw ImageError(
        Flaw::unknown,
        fmt::format("{}: neither JPEG nor PNG, nor any picture format known here", label));
  }
  throw ImageError(
      Flaw::unsupported,
      fmt::format("{}: the content is {}, expected JPEG or PNG. Convert it or leave it out", label,
                  format));
}

Decoded read(const std::filesystem::path& file, const ReadOptions& options) {
  const std::string content = content_of(file);
  const Bytes bytes(reinterpret_cast<const uint8_t*>(content.data()), content.size());
  Decoded decoded = decode(bytes, file.string(), options);
  const std::string_view promised = promised_format(file), found = format_of(bytes);
  if (!promised.empty() && promised != found) {
    decoded.notices.push_back(
        {Flaw::mislabelled,
         fmt::format("{}: named like {}, but the content is {}", file.string(), promised, found)});
  }
  return decoded;
}

}  // namespace mtl::images
