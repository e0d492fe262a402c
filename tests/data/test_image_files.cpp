#ifdef MTL_HAS_IMAGES

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <random>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/images/decode.hpp"
#include "picture_files.hpp"
#include "temporary_folder.hpp"

using namespace mtl::images;

namespace {

Flaw flaw_of(const std::vector<uint8_t>& bytes, const ReadOptions& options = {}) {
  try {
    decode(bytes, "the picture", options);
  } catch (const ImageError& error) {
    CHECK(contains(error.what(), "the picture"));
    return error.flaw();
  }
  FAIL("decoded");
  return Flaw::unknown;
}

/// The most memory that this process ever had, in bytes.
int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

/// PNG's CRC-32.
uint32_t checksum(const std::vector<uint8_t>& bytes) {
  uint32_t crc = ~0U;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

bool has(const Decoded& decoded, Flaw flaw) {
  return std::any_of(decoded.notices.begin(), decoded.notices.end(),
                     [&](const Notice& notice) { return notice.flaw == flaw; });
}

}  // namespace

TEST_CASE("images: JPEG and PNG of every colour model give the pixels that Pillow gives") {
  const auto& golden = picture_golden();
  for (const std::string name : {"rgb.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "rgb.png",
                                 "palette.png", "grey.png", "bits.png", "rgba.png", "deep.png"}) {
    CAPTURE(name);
    const Decoded decoded = decode(picture_bytes(name), name);
    const Image expected =
        picture_of_hex(golden["files"][name]["pixels"], golden["size"][0], golden["size"][1]);
    // PNG is exact; a JPEG decoder may round a value either way.
    CHECK(worst_difference(decoded.image, expected) <= (name.ends_with("png") ? 0 : 2));
    const bool is_rgb = name.starts_with("rgb.") || name.starts_with("progressive");
    CHECK(has(decoded, Flaw::converted) == !is_rgb);
    CHECK(decoded.notices.size() == (is_rgb ? 0U : 1U));
  }
}

TEST_CASE("images: a picture as a tensor has its channels first") {
  Image image(3, 2);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(i);
  const auto tensor = to_tensor(image);
  CHECK(tensor.sizes().vec() == std::vector<int64_t>{3, 2, 3});
  CHECK(tensor[1][1][2].item<int64_t>() == 3 * (3 + 2) + 1);
}

TEST_CASE("images: formats that are not decoded are called by their name") {
  const auto text = [](const std::string& name) {
    return error_text([&] { decode(picture_bytes(name), name); });
  };
  CHECK(contains(text("picture.gif"), "GIF"));
  CHECK(contains(text("picture.bmp"), "BMP"));
  CHECK(contains(text("picture.webp"), "WebP"));
  CHECK(contains(text("picture.tiff"), "TIFF"));
  CHECK(flaw_of(picture_bytes("picture.gif")) == Flaw::unsupported);
  CHECK(flaw_of({'h', 'e', 'l', 'l', 'o'}) == Flaw::unknown);
  CHECK(flaw_of({}) == Flaw::empty);
  CHECK(flaw_of({0xFF}) == Flaw::unknown);
}

TEST_CASE("images: a file that ends early is truncated, wherever it ends") {
  for (const std::string name :
       {"rgb.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "palette.png", "deep.png"}) {
    const std::vector<uint8_t> whole = picture_bytes(name);
    for (size_t size = 12; size + 12 < whole.size(); size += 37) {
      CAPTURE(name, size, whole.size());
      CHECK(flaw_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) ==
            Flaw::truncated);
    }
  }
}

TEST_CASE("images: too many pixels are refused before memory is taken for them") {
  CHECK(flaw_of(picture_bytes("rgb.jpg"), {.max_pixels = 100}) == Flaw::too_large);
  CHECK(flaw_of(picture_bytes("rgb.png"), {.max_pixels = 100}) == Flaw::too_large);
  auto bomb = picture_bytes("rgb.jpg");  // the frame header's height and width become 65,500
  const std::vector<uint8_t> frame = {0xFF, 0xC0, 0x00, 0x11, 0x08};
  const auto at = std::search(bomb.begin(), bomb.end(), frame.begin(), frame.end());
  REQUIRE(at != bomb.end());
  for (int i : {5, 6, 7, 8}) at[i] = i % 2 == 1 ? 0xFF : 0xDC;
  CHECK(flaw_of(bomb) == Flaw::too_large);
}

TEST_CASE("images: what a small file claims takes no memory") {
  // The signature, a header of 1 x 1 pixel, and the head of a chunk of 2 GB that never comes.
  const auto png = picture_bytes("rgb.png");
  for (const std::string kind : {"tEXt", "zTXt", "iTXt", "iCCP", "sPLT", "pCAL", "abCd", "IDAT"}) {
    std::vector<uint8_t> claim(png.begin(), png.begin() + 33);
    claim.insert(claim.end(), {0x7F, 0xFF, 0xFF, 0xF0});
    claim.insert(claim.end(), kind.begin(), kind.end());
    CAPTURE(kind);
    const int64_t before = peak_memory();
    CHECK(flaw_of(claim) == Flaw::truncated);
    CHECK(peak_memory() - before < 100'000'000);
  }
  // 9,000 x 9,000 pixels in a few hundred bytes.
  auto wide = png;
  for (const size_t at : {18, 22}) wide[at] = 9000 >> 8, wide[at + 1] = 9000 & 0xFF;
  const uint32_t crc = checksum({wide.begin() + 12, wide.begin() + 29});
  for (size_t i = 0; i < 4; ++i) wide[29 + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
  auto large = picture_bytes("progressive.jpg");
  const std::vector<uint8_t> frame = {0xFF, 0xC2, 0x00, 0x11, 0x08};
  const auto at = std::search(large.begin(), large.end(), frame.begin(), frame.end());
  REQUIRE(at != large.end());
  for (const int i : {5, 7}) at[i] = 9000 >> 8, at[i + 1] = 9000 & 0xFF;
  for (const auto& file : {wide, large}) {
    const int64_t before = peak_memory();
    CHECK(flaw_of(file) == Flaw::truncated);
    CHECK(peak_memory() - before < 50'000'000);
  }
}

TEST_CASE("images: a JPEG of very many scans is refused: each goes over the whole picture") {
  const auto whole = picture_bytes("progressive.jpg");
  const std::vector<uint8_t> marker = {0xFF, 0xDA};
  const auto last = std::find_end(whole.begin(), whole.end(), marker.begin(), marker.end());
  REQUIRE(last != whole.end());
  const std::vector<uint8_t> scan(last, whole.end() - 2);
  std::vector<uint8_t> many(whole.begin(), whole.end() - 2);
  for (int i = 0; i < 300; ++i) many.insert(many.end(), scan.begin(), scan.end());
  many.insert(many.end(), {0xFF, 0xD9});
  CHECK(contains(error_text([&] { decode(many, "the picture"); }), "more than 200 scans"));
}

TEST_CASE("images: wrong bytes anywhere end in a picture or in an ImageError") {
  std::mt19937 random(1);
  int decoded = 0, refused = 0;
  for (const auto& item : picture_golden()["files"].items()) {
    const std::vector<uint8_t> whole = picture_bytes(item.key());
    for (int round = 0; round < 150; ++round) {
      auto bytes = whole;
      for (int k = 0; k < 1 + round % 8; ++k)
        bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
      try {
        decode(bytes, item.key(), {.max_pixels = 1'000'000});
        ++decoded;
      } catch (const ImageError&) {
        ++refused;
      }
    }
  }
  CHECK(decoded > 0);
  CHECK(refused > 0);
}

TEST_CASE("images: damage that a decoder can skip is a remark") {
  auto bytes = picture_bytes("rgb.jpg");
  bytes.insert(bytes.end() - 2, 200, 0x12);  // before the end marker, as in files of the pet set
  const Decoded decoded = decode(bytes, "the picture");
  CHECK(has(decoded, Flaw::repaired));
  CHECK(decoded.image == decode(picture_bytes("rgb.jpg"), "whole").image);
}

TEST_CASE("images: reading a file says what is wrong with it") {
  TemporaryFolder folder;
  const auto png = write_bytes(folder / "really_png.jpg", picture_bytes("rgb.png"));
  const Decoded decoded = read(png);
  CHECK(decoded.image == drawn_picture());
  REQUIRE(decoded.notices.size() == 1);
  CHECK(decoded.notices[0].flaw == Flaw::mislabelled);
  CHECK(
      contains(decoded.notices[0].text, "really_png.jpg: named like JPEG, but the content is PNG"));
  CHECK(read(write_bytes(folder / "UPPER.JPG", picture_bytes("rgb.jpg"))).notices.empty());

  const auto flaw = [](const std::filesystem::path& file) {
    try {
      read(file);
    } catch (const ImageError& error) {
      CHECK(contains(error.what(), file.string()));
      return error.flaw();
    }
    return Flaw::converted;
  };
  CHECK(flaw(folder / "nowhere.jpg") == Flaw::missing);
  CHECK(flaw(folder.path()) == Flaw::missing);
  CHECK(flaw(folder / (std::string(300, 'x') + ".png")) == Flaw::missing);
  REQUIRE(::mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  CHECK(flaw(folder / "pipe.png") == Flaw::missing);
  CHECK(flaw(write_bytes(folder / "zero.jpg", {})) == Flaw::empty);
}

TEST_CASE("images: a JPEG may be decoded smaller, never below what is asked for") {
  const std::vector<uint8_t> bytes = picture_bytes("rgb.jpg");  // 20 x 14
  const auto size = [&](int64_t min_side) {
    const Image image = decode(bytes, "the picture", {.min_side = min_side}).image;
    return std::pair(image.width, image.height);
  };
  CHECK(size(0) == std::pair<int64_t, int64_t>(20, 14));
  CHECK(size(8) == std::pair<int64_t, int64_t>(20, 14));
  CHECK(size(7) == std::pair<int64_t, int64_t>(10, 7));
  CHECK(size(4) == std::pair<int64_t, int64_t>(5, 4));
  CHECK(size(1) == std::pair<int64_t, int64_t>(3, 2));
}

#endif
