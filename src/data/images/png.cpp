#include "png.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "claims.hpp"
#include "guard.hpp"

namespace mtl::images {
namespace {

struct Png {
  png_structp reader = nullptr;
  png_infop info = nullptr;
  std::jmp_buf jump{};
  std::array<char, 200> message{};
  bool ends_early = false;

  std::span<const uint8_t> rest;  // bytes not read yet
  png_bytep* rows = nullptr;

  Png() = default;
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;
  ~Png() { png_destroy_read_struct(&reader, &info, nullptr); }
};

[[noreturn]] void on_png_error(png_structp reader, png_const_charp text) {
  Png& png = *static_cast<Png*>(png_get_error_ptr(reader));
  std::strncpy(png.message.data(), text, png.message.size() - 1);
  std::longjmp(png.jump, 1);
}

// About colour profiles, nearly always.
void on_warning(png_structp /*reader*/, png_const_charp /*text*/) {}

void on_read(png_structp reader, png_bytep into, size_t count) {
  Png& png = *static_cast<Png*>(png_get_io_ptr(reader));
  if (count > png.rest.size()) {
    png.ends_early = true;
    png_error(reader, "the data end before the picture does");
  }
  std::memcpy(into, png.rest.data(), count);
  png.rest = png.rest.subspan(count);
}

// What stands beside the picture is passed over: nobody asks for it here, and libpng takes memory
// for what such a chunk claims, however short the file is, and for what it unpacks to.
void pass_over_remarks(png_structp reader) {
  static constexpr char names[] =
      "cHRM\0gAMA\0iCCP\0sBIT\0sRGB\0bKGD\0hIST\0pHYs\0sPLT\0tIME\0"
      "tEXt\0zTXt\0iTXt\0oFFs\0pCAL\0sCAL\0eXIf";
  png_set_keep_unknown_chunks(reader, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_set_keep_unknown_chunks(reader, PNG_HANDLE_CHUNK_NEVER,
                              reinterpret_cast<png_const_bytep>(names), sizeof names / 5);
}

void read_png_header(void* state) {
  Png& png = *static_cast<Png*>(state);
  png_set_read_fn(png.reader, &png, on_read);
  pass_over_remarks(png.reader);
  png_read_info(png.reader, png.info);
}

void convert_to_rgb(void* state) {
  Png& png = *static_cast<Png*>(state);
  png_set_scale_16(png.reader);
  png_set_expand(png.reader);  // palette to RGB, 1, 2, 4 bit to 8, transparent colour to alpha
  png_set_gray_to_rgb(png.reader);
  png_set_strip_alpha(png.reader);
  png_set_interlace_handling(png.reader);
  png_read_update_info(png.reader, png.info);
}

void read_png_pixels(void* state) {
  Png& png = *static_cast<Png*>(state);
  png_read_image(png.reader, png.rows);
  png_read_end(png.reader, nullptr);
}

std::string what_was_converted(const Png& png) {
  const int colour = png_get_color_type(png.reader, png.info);
  std::string text;
  const auto add = [&](std::string_view word) {
    text.append(text.empty() ? "" : ", ").append(word);
  };
  if (png_get_bit_depth(png.reader, png.info) == 16) add("16-bit");
  if (colour == PNG_COLOR_TYPE_PALETTE) add("palette");
  if ((colour & PNG_COLOR_MASK_COLOR) == 0) add("grey");
  if ((colour & PNG_COLOR_MASK_ALPHA) != 0 ||
      png_get_valid(png.reader, png.info, PNG_INFO_tRNS) != 0) {
    add("transparent");
  }
  return text;
}

}  // namespace

Decoded decode_png(std::span<const uint8_t> bytes, std::string_view label,
                   const ReadOptions& options) {
  Png png;
  png.rest = bytes;
  const auto fail = [&]() -> ImageError {
    const Flaw flaw = png.ends_early ? Flaw::truncated : Flaw::damaged;
    return {flaw, fmt::format("{}: {} PNG ({}). Replace the file or leave it out", label,
                              name(flaw), png.message.data())};
  };
  png.reader = png_create_read_struct(PNG_LIBPNG_VER_STRING, &png, on_png_error, on_warning);
  if (png.reader != nullptr) png.info = png_create_info_struct(png.reader);
  if (png.info == nullptr)
    throw Error("{}: libpng cannot start (out of memory or another version)", label);
  if (!guarded(png.jump, read_png_header, &png)) throw fail();

  const int64_t width = png_get_image_width(png.reader, png.info);
  const int64_t height = png_get_image_height(png.reader, png.info);
  check_size(width, height, label, options);
  // Deflate packs at most 1,032 bytes into one.
  if (static_cast<int64_t>(png_get_rowbytes(png.reader, png.info)) * height / 1032 >
      static_cast<int64_t>(bytes.size()))
    throw too_short(bytes, width, height, "PNG", label);
  const std::string converted = what_was_converted(png);
  if (!guarded(png.jump, convert_to_rgb, &png)) throw fail();

  Decoded decoded{.image = Image(width, height), .notices = {}};
  std::vector<png_bytep> rows(static_cast<size_t>(height));
  for (int64_t y = 0; y < height; ++y) rows[static_cast<size_t>(y)] = decoded.image.row(y);
  png.rows = rows.data();
  if (!guarded(png.jump, read_png_pixels, &png)) throw fail();
  if (!converted.empty()) {
    decoded.notices.push_back(
        {Flaw::converted, fmt::format("{}: {} PNG, converted to 8-bit RGB", label, converted)});
  }
  return decoded;
}

}  // namespace mtl::images
