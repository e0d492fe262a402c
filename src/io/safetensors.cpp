#include "mtl/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/json.hpp"

namespace mtl::io {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr uint64_t kLengthBytes = 8, kAlignment = 8;
constexpr uint64_t kLargestHeader = 100'000'000;  // the limit of the format's own implementation

constexpr std::pair<const char*, at::ScalarType> kKinds[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
    {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
    {"U8", at::kByte},    {"BOOL", at::kBool},
};

std::string known_kinds() {
  std::string names;
  for (const auto& [name, type] : kKinds) names += std::string(names.empty() ? "" : " ") + name;
  return names;
}

struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<int64_t> shape;
  uint64_t begin, end;  // bytes after the header
};

// One number of a header: an integer >= 0 that fits int64.
uint64_t natural(const Json& value, const std::string& where, const char* what) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX})
    throw Error("{}: {} has {}, expected an integer from 0 to 2^63-1.", where, what, value.dump());
  return value.get<uint64_t>();
}

const Json& member(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) throw Error("{}: \"{}\" is missing.", where, key);
  return *found;
}

at::ScalarType kind(const Json& value, const std::string& where) {
  for (const auto& [name, type] : kKinds)
    if (value == name) return type;
  throw Error("{}: its kind is {}, expected one of {}.", where, value.dump(), known_kinds());
}

Entry read_entry(const std::string& name, const Json& value, const std::string& file,
                 uint64_t data_bytes) {
  const std::string where = fmt::format("{}: tensor \"{}\"", file, name);
  if (!value.is_object()) throw Error("{}: expected an object, found {}.", where, value.dump());
  const Json& shape = member(value, "shape", where);
  const Json& offsets = member(value, "data_offsets", where);
  if (!shape.is_array()) throw Error("{}: its shape is {}.", where, shape.dump());
  if (!offsets.is_array() || offsets.size() != 2)
    throw Error("{}: its data_offsets are {}, expected [begin, end].", where, offsets.dump());

  Entry entry{name, kind(member(value, "dtype", where), where), {}, 0, 0};
  entry.begin = natural(offsets[0], where, "data_offsets");
  entry.end = natural(offsets[1], where, "data_offsets");
  if (entry.begin > entry.end || entry.end > data_bytes)
    throw Error("{}: its data_offsets are {}, but {} bytes follow the header.", where,
                offsets.dump(), data_bytes);

  uint64_t bytes = c10::elementSize(entry.type);
  bool overflow = false;
  for (const Json& size : shape) {
    entry.shape.push_back(static_cast<int64_t>(natural(size, where, "shape")));
    overflow |= __builtin_mul_overflow(bytes, natural(size, where, "shape"), &bytes);
  }
  if (overflow || bytes != entry.end - entry.begin)
    throw Error("{}: its shape {} of {} does not take the {} bytes of its data_offsets.", where,
                shape.dump(), value.at("dtype").dump(), entry.end - entry.begin);
  return entry;
}

// The bytes after the header belong to exactly one tensor each.
void check_layout(std::vector<Entry> entries, const std::string& file, uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at)
      throw Error("{}: tensor \"{}\" begins at byte {}, {} (expected byte {}).", file, entry.name,
                  entry.begin, entry.begin < at ? "inside another tensor" : "after a gap", at);
    at = entry.end;
  }
  if (at != data_bytes)
    throw Error("{}: its tensors take {} bytes, but {} follow the header.", file, at, data_bytes);
}

Metadata read_metadata(const Json& value, const std::string& file) {
  Metadata metadata;
  if (!value.is_object()) throw Error("{}: __metadata__ is {}.", file, value.dump());
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string())
      throw Error("{}: __metadata__ \"{}\" is {}, expected text.", file, key, text.dump());
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

std::string read_bytes(std::ifstream& stream, uint64_t count, const std::string& file) {
  std::string bytes(count, '\0');
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(count)))
    throw Error("{}: ended while it was read.", file);
  return bytes;
}

Tensor read_tensor(std::ifstream& stream, const Entry& entry, uint64_t data_begin,
                   const std::string& file) {
  Tensor tensor = torch::empty(entry.shape, torch::dtype(entry.type));
  const uint64_t bytes = entry.end - entry.begin;
  if (bytes == 0) return tensor;
  stream.seekg(static_cast<std::streamoff>(data_begin + entry.begin));
  auto* data = static_cast<char*>(tensor.data_ptr());
  if (!stream.read(data, static_cast<std::streamsize>(bytes)))
    throw Error("{}: ended inside tensor \"{}\".", file, entry.name);
  // A bool that is neither 0 nor 1 is undefined behaviour wherever it is used.
  if (entry.type == at::kBool &&
      std::any_of(data, data + bytes, [](unsigned char byte) { return byte > 1; }))
    throw Error("{}: tensor \"{}\" of BOOL holds a byte that is neither 0 nor 1.", file,
                entry.name);
  return tensor;
}

const char* kind_name(at::ScalarType type, const std::string& name) {
  for (const auto& [text, known] : kKinds)
    if (known == type) return text;
  throw Error(
      "tensor \"{}\" is of type {}, which safetensors files cannot hold; expected one of {}.", name,
      c10::toString(type), known_kinds());
}

Tensor plain(const Tensor& tensor) {
  return tensor.detach().to(torch::kCPU).resolve_neg().contiguous();
}

}  // namespace

NamedTensors read_safetensors(const fs::path& path, Metadata* metadata) {
  const std::string file = "\"" + path.string() + "\"";
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) throw Error("{}: there is no such file.", file);
  if (!fs::is_regular_file(status)) throw Error("{}: is not a regular file.", file);
  const uint64_t size = fs::file_size(path);
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error("{}: cannot be opened.", file);
  if (size < kLengthBytes)
    throw Error("{}: has {} bytes; a safetensors file begins with 8 bytes of header length.", file,
                size);

  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, read_bytes(stream, kLengthBytes, file).data(), kLengthBytes);
  if (header_bytes > size - kLengthBytes || header_bytes > kLargestHeader)
    throw Error(
        "{}: states a header of {} bytes, but has {} after the length; it is truncated or no "
        "safetensors file.",
        file, header_bytes, size - kLengthBytes);
  const uint64_t data_begin = kLengthBytes + header_bytes, data_bytes = size - data_begin;

  const Json header = parse_json(read_bytes(stream, header_bytes, file), "header of " + file);
  if (!header.is_object()) throw Error("{}: its header is not a JSON object.", file);
  std::vector<Entry> entries;
  Metadata text;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__")
      text = read_metadata(value, file);
    else
      entries.push_back(read_entry(name, value, file, data_bytes));
  }
  check_layout(entries, file, data_bytes);

  NamedTensors tensors;
  for (const Entry& entry : entries)
    tensors.insert(entry.name, read_tensor(stream, entry, data_begin, file));
  if (metadata) *metadata = std::move(text);
  return tensors;
}

void write_safetensors(const fs::path& path, const NamedTensors& tensors,
                       const Metadata& metadata) {
  std::vector<const NamedTensors::Item*> by_size;
  for (const auto& item : tensors) {
    if (item.key() == "__metadata__") throw Error("no tensor may be called \"__metadata__\".");
    if (!item.value().defined()) throw Error("tensor \"{}\" is undefined.", item.key());
    if (item.value().layout() != torch::kStrided)
      throw Error("tensor \"{}\" is sparse; write to_dense() of it.", item.key());
    by_size.push_back(&item);
  }
  std::stable_sort(by_size.begin(), by_size.end(), [](const auto* a, const auto* b) {
    return a->value().element_size() > b->value().element_size();
  });
  std::map<std::string, uint64_t> begins;
  uint64_t at = 0;
  for (const auto* item : by_size) {
    begins[item->key()] = at;
    at += item->value().numel() * item->value().element_size();
  }

  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  for (const auto& item : tensors) {
    const Tensor& tensor = item.value();
    const uint64_t begin = begins[item.key()];
    header[item.key()] = {
        {"dtype", kind_name(tensor.scalar_type(), item.key())},
        {"shape", tensor.sizes().vec()},
        {"data_offsets", {begin, begin + tensor.numel() * tensor.element_size()}}};
  }
  std::string text = json_text(header, -1);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');

  AtomicFile file(path);
  const uint64_t header_bytes = text.size();
  file.write({reinterpret_cast<const char*>(&header_bytes), kLengthBytes});
  file.write(text);
  for (const auto* item : by_size) {
    const Tensor tensor = plain(item->value());
    file.write({static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()});
  }
  file.commit();
}

}  // namespace mtl::io
