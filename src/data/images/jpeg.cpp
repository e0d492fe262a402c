#include "jpeg.hpp"

#include <cstddef>
#include <cstdio>  // jpeglib.h needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "claims.hpp"
#include "guard.hpp"

namespace mtl::images {
namespace {

struct Jpeg {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};  // of the error or of the last warning
  bool ends_early = false, repaired = false;

  std::span<const uint8_t> bytes;
  uint8_t* pixels = nullptr;  // [output_height, output_width, output_components]

  Jpeg() = default;
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;
  ~Jpeg() { jpeg_destroy_decompress(&info); }  // harmless where nothing was created
};

Jpeg& owner(j_common_ptr info) { return *static_cast<Jpeg*>(info->client_data); }

[[noreturn]] void on_jpeg_error(j_common_ptr info) {
  Jpeg& jpeg = owner(info);
  (*info->err->format_message)(info, jpeg.message.data());
  std::longjmp(jpeg.jump, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // traces
  Jpeg& jpeg = owner(info);
  (info->err->msg_code == JWRN_JPEG_EOF ? jpeg.ends_early : jpeg.repaired) = true;
  (*info->err->format_message)(info, jpeg.message.data());
}

// Each scan of a progressive picture goes over all of it, and may be a few bytes short.
void on_progress(j_common_ptr info) {
  constexpr int most_scans = 200;
  Jpeg& jpeg = owner(info);
  if (jpeg.info.input_scan_number <= most_scans) return;
  std::snprintf(jpeg.message.data(), jpeg.message.size(), "more than %d scans", most_scans);
  std::longjmp(jpeg.jump, 1);
}

void read_jpeg_header(void* state) {
  Jpeg& jpeg = *static_cast<Jpeg*>(state);
  jpeg_create_decompress(&jpeg.info);
  jpeg.progress.progress_monitor = on_progress;
  jpeg.info.progress = &jpeg.progress;
  jpeg_mem_src(&jpeg.info, jpeg.bytes.data(), jpeg.bytes.size());
  jpeg_read_header(&jpeg.info, TRUE);
}

void read_jpeg_pixels(void* state) {
  Jpeg& jpeg = *static_cast<Jpeg*>(state);
  jpeg_start_decompress(&jpeg.info);
  const size_t stride =
      size_t{jpeg.info.output_width} * static_cast<size_t>(jpeg.info.output_components);
  while (jpeg.info.output_scanline < jpeg.info.output_height) {
    JSAMPROW row = jpeg.pixels + stride * jpeg.info.output_scanline;
    jpeg_read_scanlines(&jpeg.info, &row, 1);
  }
  jpeg_finish_decompress(&jpeg.info);
}

Image rgb_from_cmyk(const std::vector<uint8_t>& cmyk, int64_t width, int64_t height,
                    bool inverted) {
  Image image(width, height);
  for (size_t p = 0; p < static_cast<size_t>(width * height); ++p) {
    const auto light = [&](size_t c) -> int {
      return inverted ? cmyk[4 * p + c] : 255 - cmyk[4 * p + c];
    };
    for (size_t c = 0; c < 3; ++c) {
      image.pixels[3 * p + c] = static_cast<uint8_t>((light(c) * light(3) + 127) / 255);
    }
  }
  return image;
}

unsigned eighths(const jpeg_decompress_struct& info, int64_t min_side) {
  if (min_side <= 0) return 8;
  const int64_t side = std::min(info.image_width, info.image_height);
  for (const unsigned n : {1U, 2U, 4U}) {
    if ((side * n + 7) / 8 >= min_side) return n;
  }
  return 8;
}

}  // namespace

Decoded decode_jpeg(std::span<const uint8_t> bytes, std::string_view label,
                    const ReadOptions& options) {
  Jpeg jpeg;
  jpeg.info.err = jpeg_std_error(&jpeg.errors);
  jpeg.info.client_data = &jpeg;
  jpeg.errors.error_exit = on_jpeg_error;
  jpeg.errors.emit_message = on_message;
  jpeg.bytes = bytes;
  const auto fail = [&](std::string_view reason) -> ImageError {
    const Flaw flaw = jpeg.ends_early ? Flaw::truncated : Flaw::damaged;
    return {flaw, fmt::format("{}: {} JPEG ({}). Replace the file or leave it out", label,
                              name(flaw), reason)};
  };
  if (!guarded(jpeg.jump, read_jpeg_header, &jpeg)) throw fail(jpeg.message.data());

  check_size(jpeg.info.image_width, jpeg.info.image_height, label, options);
  // A block of 8 x 8 pixels takes a bit of a Huffman code at the least.
  const int64_t blocks =
      ((int64_t{jpeg.info.image_width} + 7) / 8) * ((int64_t{jpeg.info.image_height} + 7) / 8);
  if (jpeg.info.arith_code == FALSE && blocks / 8 > static_cast<int64_t>(bytes.size()))
    throw too_short(bytes, jpeg.info.image_width, jpeg.info.image_height, "JPEG", label);
  const bool cmyk =
      jpeg.info.jpeg_color_space == JCS_CMYK || jpeg.info.jpeg_color_space == JCS_YCCK;
  const bool grey = jpeg.info.jpeg_color_space == JCS_GRAYSCALE;
  jpeg.info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg.info.scale_num = eighths(jpeg.info, options.min_side);
  jpeg.info.scale_denom = 8;
  jpeg_calc_output_dimensions(&jpeg.info);
  const int64_t width = jpeg.info.output_width, height = jpeg.info.output_height;

  Decoded decoded;
  std::vector<uint8_t> inks;
  if (cmyk) {
    inks.resize(static_cast<size_t>(4 * width * height));
    jpeg.pixels = inks.data();
  } else {
    decoded.image = Image(width, height);
    jpeg.pixels = decoded.image.pixels.data();
  }
  if (!guarded(jpeg.jump, read_jpeg_pixels, &jpeg)) throw fail(jpeg.message.data());
  // libjpeg fills what is missing with grey; such a picture would teach grey.
  if (jpeg.ends_early) throw fail(jpeg.message.data());

  // Adobe writes its inks inverted, and says so by its marker.
  if (cmyk) decoded.image = rgb_from_cmyk(inks, width, height, jpeg.info.saw_Adobe_marker != 0);
  if (cmyk || grey) {
    decoded.notices.push_back({Flaw::converted, fmt::format("{}: {} JPEG, converted to RGB", label,
                                                            cmyk ? "CMYK" : "grey")});
  }
  if (jpeg.repaired) {
    decoded.notices.push_back({Flaw::repaired, fmt::format("{}: {}", label, jpeg.message.data())});
  }
  return decoded;
}

}  // namespace mtl::images
