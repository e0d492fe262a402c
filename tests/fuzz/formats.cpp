#include <cstring>
#include <nlohmann/json.hpp>

#include "mtl/io/json_member.hpp"
#include "mtl/io/pytorch_file.hpp"
#include "mtl/io/safetensors.hpp"
#include "target.hpp"

#ifdef MTL_HAS_IMAGES
#include "mtl/data/images/decode.hpp"
#endif

// JSON, safetensors and pictures by themselves.

namespace fuzz {

void json(std::string_view bytes) {
  mtl::io::Json value;
  if (!reads("t.json", [&] { value = mtl::io::parse_json(bytes, "t.json"); })) return;
  const std::string text = mtl::io::json_text(value);
  require(mtl::io::parse_json(text) == value, "a value that reads back as another", text);
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.items()) {
    const auto each = [&]<class Type>(Type) {
      reads("t.json", [&] { mtl::io::json_member<Type>(value, key, "t.json"); });
    };
    each(int64_t());
    each(double());
    each(bool());
    each(std::string());
    each(std::vector<int64_t>());
    each(std::vector<std::string>());
  }
}

void safetensors(std::string_view bytes) {
  const auto file = folder() / "t.safetensors", again = folder() / "again.safetensors";
  put(file, bytes);
  mtl::NamedTensors tensors;
  mtl::io::Metadata metadata;
  if (!reads(file.string(), [&] { tensors = mtl::io::read_safetensors(file, &metadata); })) return;
  mtl::io::write_safetensors(again, tensors, metadata);
  mtl::io::Metadata metadata_again;
  const mtl::NamedTensors back = mtl::io::read_safetensors(again, &metadata_again);
  require(back.size() == tensors.size() && metadata_again == metadata, "not what was written");
  for (const auto& item : tensors) {
    const mtl::Tensor& other = back[item.key()];
    require(other.sizes() == item.value().sizes() &&
                other.scalar_type() == item.value().scalar_type() &&
                (other.nbytes() == 0 ||
                 std::memcmp(other.data_ptr(), item.value().data_ptr(), other.nbytes()) == 0),
            "a tensor that reads back as another", item.key());
  }
}

namespace {

/// A zip archive as torch.save's, of a pickle and a storage of 64 bytes. The checksums fit, so that
/// what is changed in the pickle comes to be read.
std::string archive_around(std::string_view pickle) {
  const auto number = [](uint64_t value, size_t bytes) {
    std::string text;
    for (size_t i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 255);
    return text;
  };
  const auto checksum = [](std::string_view bytes) {
    uint32_t crc = ~uint32_t{0};
    for (const char c : bytes) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
    }
    return ~crc;
  };
  std::string archive, directory;
  const std::pair<std::string, std::string> files[] = {{"t/data.pkl", std::string(pickle)},
                                                       {"t/data/0", std::string(64, '\1')}};
  for (const auto& [name, bytes] : files) {
    // Time and date, CRC-32, sizes twice, length of the name; no extra fields.
    const std::string same = number(0, 4) + number(checksum(bytes), 4) + number(bytes.size(), 4) +
                             number(bytes.size(), 4) + number(name.size(), 2) + number(0, 2);
    directory += "PK\1\2" + number(0, 8) + same + number(0, 10) + number(archive.size(), 4) + name;
    archive += "PK\3\4" + number(0, 6) + same + name + bytes;
  }
  return archive + directory + "PK\5\6" + number(0, 4) + number(2, 2) + number(2, 2) +
         number(directory.size(), 4) + number(archive.size(), 4) + number(0, 2);
}

}  // namespace

void pytorch(std::string_view bytes) {
  const auto file = folder() / "t.pt";
  // Archives, and pickles, which begin with their protocol.
  put(file, bytes.starts_with('\x80') ? archive_around(bytes) : std::string(bytes));
  mtl::NamedTensors tensors;
  if (!reads(file.string(), [&] { tensors = mtl::io::read_pytorch(file); })) return;
  int64_t numbers = 0;
  for (const auto& item : tensors) {
    require(item.value().numel() <= 1 << 20, "a tensor larger than the file", item.key());
    if (++numbers < 100)
      (void)item.value().to(torch::kDouble).sum().item<double>();  // all is there
  }
}

#ifdef MTL_HAS_IMAGES
void images(std::string_view bytes) {
  const std::span<const uint8_t> given(reinterpret_cast<const uint8_t*>(bytes.data()),
                                       bytes.size());
  for (const int64_t side : {0, 8})
    reads("the picture", [&] {
      const auto decoded =
          mtl::images::decode(given, "the picture", {.min_side = side, .max_pixels = 4'000'000});
      const auto& image = decoded.image;
      require(image.width > 0 && image.height > 0 &&
                  image.pixels.size() == static_cast<size_t>(3 * image.width * image.height),
              "a picture of another size");
    });
}
#endif

}  // namespace fuzz
