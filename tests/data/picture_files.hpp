#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mtl/data/images/image.hpp"

/// Small picture files of every kind with what Pillow makes of them: tests/golden/images.json.
inline const nlohmann::json& picture_golden() {
  static const nlohmann::json golden = [] {
    std::ifstream file(std::string(MTL_SOURCE_DIR) + "/tests/golden/images.json");
    return nlohmann::json::parse(file);
  }();
  return golden;
}

inline std::vector<uint8_t> bytes_of_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

inline std::vector<uint8_t> picture_bytes(const std::string& name) {
  return bytes_of_hex(picture_golden()["files"][name]["bytes"]);
}

inline mtl::images::Image picture_of_hex(const nlohmann::json& hex, int64_t width, int64_t height) {
  mtl::images::Image image(width, height);
  image.pixels = bytes_of_hex(hex);
  return image;
}

/// What the files of the golden set show.
inline mtl::images::Image drawn_picture() {
  const auto& golden = picture_golden();
  return picture_of_hex(golden["drawn"], golden["size"][0], golden["size"][1]);
}

inline std::filesystem::path write_bytes(const std::filesystem::path& file,
                                         const std::vector<uint8_t>& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  return file;
}

/// The largest difference of two pictures of one size in any value.
inline int worst_difference(const mtl::images::Image& a, const mtl::images::Image& b) {
  if (a.width != b.width || a.height != b.height || a.pixels.size() != b.pixels.size()) return 256;
  int worst = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i)
    worst = std::max(worst, std::abs(int{a.pixels[i]} - int{b.pixels[i]}));
  return worst;
}
