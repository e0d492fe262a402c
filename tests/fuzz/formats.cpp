#include <cstring>
#include <nlohmann/json.hpp>

#include "mtl/io/json_member.hpp"
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
