#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/data/images/image.hpp"

namespace mtl::images {

/// What can be wrong with a picture file. The first group makes an ImageError, the second a Notice.
enum class Flaw {
  missing,      ///< no such file, or not readable
  empty,        ///< zero bytes
  truncated,    ///< the data end before the picture does
  damaged,      ///< the data contradict the format
  unsupported,  ///< a known format that is not decoded here (GIF, BMP, WebP, TIFF, HEIF)
  unknown,      ///< not a picture at all
  too_large,    ///< more pixels than ReadOptions::max_pixels

  mislabelled,  ///< decoded, but the file name's extension promises another format
  converted,  ///< decoded, but was grey, CMYK, palette, 16-bit or transparent and is now 8-bit RGB
  repaired,   ///< decoded, but the decoder had to skip or guess some bytes
};
std::string_view name(Flaw flaw);

/// Something worth knowing about a picture that was decoded all the same.
struct Notice {
  Flaw flaw;
  std::string text;
};

/// A picture that cannot be used; says which file, what was found and what to do.
class ImageError : public Error {
 public:
  ImageError(Flaw flaw, const std::string& text) : Error(text), flaw_(flaw) {}
  Flaw flaw() const { return flaw_; }

 private:
  Flaw flaw_;
};

struct Decoded {
  Image image;
  std::vector<Notice> notices;
};

struct ReadOptions {
  /// A JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as long as its shorter side keeps this
  /// many pixels (much faster where a transform shrinks it anyway). 0: full size.
  int64_t min_side = 0;
  int64_t max_pixels = 100'000'000;  ///< refuses a small file that unpacks to gigabytes
};

/// Decodes the bytes of a JPEG or PNG file, whatever its colour model, to 8-bit RGB. Transparency
/// is dropped. `label` stands for the file in messages. Safe to call from several threads.
/// ImageError: they hold no picture that can be used; what they claim is held against how many they
/// are before memory is taken for it.
Decoded decode(std::span<const uint8_t> bytes, std::string_view label,
               const ReadOptions& options = {});

/// Reads and decodes a file; also notices where the extension does not fit the content.
/// ImageError: the file cannot be read, or as `decode`.
Decoded read(const std::filesystem::path& file, const ReadOptions& options = {});

}  // namespace mtl::images
