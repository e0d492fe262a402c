#include "mtl/io/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/json.hpp"

namespace mtl::io {
namespace fs = std::filesystem;
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr uint64_t length_bytes = 8, alignment = 8;
constexpr uint64_t largest_header = 100'000'000;  // the limit of the format's own implementation

constexpr std::pair<const char*, at::ScalarType> kinds[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
    {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
    {"U8", at::kByte},    {"BOOL", at::kBool},
};

std::string known_kinds() {
  std::string names;
  for (const auto& [name, type] : kinds) names += std::string(names.empty() ? "" : " ") + name;
  return names;
}

// The digest of a file stands in its own metadata: XXH64 of the whole file, its own digits taken as
// zeros. The second entry says so to whoever looks, and shows that a digest was lost when its key
// is damaged.
constexpr const char* digest_key = "mtl.digest";
constexpr const char* digest_note_key = "mtl.digest_is";
constexpr const char* digest_note = "XXH64 of the whole file with these 16 digits as zeros";
constexpr std::string_view no_digest = "0000000000000000";

struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<int64_t> shape;
  uint64_t begin, end;  // bytes after the header
};

std::string text_of(const Json& value) { return excerpt(value.dump()); }

// One number of a header: an integer >= 0 that fits int64.
uint64_t natural(const Json& value, const std::string& where, const char* what) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX})
    throw Error("{}: {} has {}, expected an integer from 0 to 2^63-1", where, what, text_of(value));
  return value.get<uint64_t>();
}

const Json& member(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) throw Error("{}: \"{}\" is missing", where, key);
  return *found;
}

at::ScalarType kind(const Json& value, const std::string& where) {
  for (const auto& [name, type] : kinds)
    if (value == name) return type;
  throw Error("{}: its kind is {}, expected one of {}", where, text_of(value), known_kinds());
}

Entry read_entry(const std::string& name, const Json& value, const std::string& file,
                 uint64_t data_bytes) {
  const std::string where = fmt::format("{}: tensor \"{}\"", file, excerpt(name));
  if (!value.is_object()) throw Error("{}: expected an object, found {}", where, text_of(value));
  const Json& shape = member(value, "shape", where);
  const Json& offsets = member(value, "data_offsets", where);
  if (!shape.is_array()) throw Error("{}: its shape is {}", where, text_of(shape));
  if (!offsets.is_array() || offsets.size() != 2)
    throw Error("{}: its data_offsets are {}, expected [begin, end]", where, text_of(offsets));

  Entry entry{name, kind(member(value, "dtype", where), where), {}, 0, 0};
  entry.begin = natural(offsets[0], where, "data_offsets");
  entry.end = natural(offsets[1], where, "data_offsets");
  if (entry.begin > entry.end || entry.end > data_bytes)
    throw Error("{}: its data_offsets are {}, but {} bytes follow the header", where,
                text_of(offsets), data_bytes);

  // A size of zero makes the tensor empty, but not its strides, which must fit int64 as well.
  uint64_t bytes = c10::elementSize(entry.type);
  int64_t stride = static_cast<int64_t>(bytes);
  bool overflow = false;
  for (const Json& size : shape) {
    entry.shape.push_back(static_cast<int64_t>(natural(size, where, "shape")));
    bytes *= static_cast<uint64_t>(entry.shape.back());
    overflow |= __builtin_mul_overflow(stride, std::max<int64_t>(entry.shape.back(), 1), &stride);
  }
  if (overflow || bytes != entry.end - entry.begin)
    throw Error("{}: its shape {} of {} does not take the {} bytes of its data_offsets", where,
                text_of(shape), text_of(value.at("dtype")), entry.end - entry.begin);
  return entry;
}

std::vector<size_t> order_in_file(const std::vector<Entry>& entries) {
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(entries[a].begin, entries[a].end) <
           std::pair(entries[b].begin, entries[b].end);
  });
  return order;
}

// The bytes after the header belong to exactly one tensor each.
void check_layout(const std::vector<Entry>& entries, const std::vector<size_t>& by_place,
                  const std::string& file, uint64_t data_bytes) {
  uint64_t at = 0;
  for (const size_t i : by_place) {
    const Entry& entry = entries[i];
    if (entry.begin != at)
      throw Error("{}: tensor \"{}\" begins at byte {}, {} (expected byte {})", file,
                  excerpt(entry.name), entry.begin,
                  entry.begin < at ? "inside another tensor" : "after a gap", at);
    at = entry.end;
  }
  if (at != data_bytes)
    throw Error("{}: its tensors take {} bytes, but {} follow the header", file, at, data_bytes);
}

Metadata read_metadata(const Json& value, const std::string& file) {
  Metadata metadata;
  if (!value.is_object()) throw Error("{}: __metadata__ is {}", file, text_of(value));
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string())
      throw Error("{}: __metadata__ \"{}\" is {}, expected text", file, key, text_of(text));
    metadata[key] = text.get_ref<const std::string&>();
  }
  return metadata;
}

// The position of the digest's digits in a header's text; npos where there are none.
size_t digest_position(std::string_view header) {
  const std::string before =
      fmt::format("\"{}\":\"", digest_key);  // never within a text: quotes have backslashes there
  const auto found = header.find(before);
  return found == std::string_view::npos ? found : found + before.size();
}

// Takes the digest out of the metadata; "" where the file has none.
std::string take_digest(Metadata& metadata, const std::string& file) {
  const auto digest = metadata.extract(digest_key), note = metadata.extract(digest_note_key);
  if (digest.empty() != note.empty())
    throw Error("{}: its metadata have only one of \"{}\" and \"{}\"; the file is damaged", file,
                digest_key, digest_note_key);
  return digest.empty() ? std::string() : digest.mapped();
}

Tensor read_tensor(InputFile& input, const Entry& entry, const std::string& file) {
  Tensor tensor;
  try {
    tensor = torch::empty(entry.shape, torch::dtype(entry.type));
  } catch (const c10::Error&) {
    throw Error("{}: tensor \"{}\": there is no memory for its {} bytes", file, excerpt(entry.name),
                entry.end - entry.begin);
  }
  const uint64_t bytes = entry.end - entry.begin;
  if (bytes == 0) return tensor;
  auto* data = static_cast<char*>(tensor.data_ptr());
  input.read(data, bytes);
  // A bool that is neither 0 nor 1 is undefined behaviour wherever it is used.
  if (entry.type == at::kBool &&
      std::any_of(data, data + bytes, [](unsigned char byte) { return byte > 1; }))
    throw Error("{}: tensor \"{}\" of BOOL holds a byte that is neither 0 nor 1", file,
                excerpt(entry.name));
  return tensor;
}

std::string_view bytes_of(const Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

// nullptr for a type that the format cannot hold.
const char* kind_name(at::ScalarType type) {
  for (const auto& [text, known] : kinds)
    if (known == type) return text;
  return nullptr;
}

Tensor plain(const Tensor& tensor) {
  return tensor.detach().to(torch::kCPU).resolve_neg().contiguous();
}

}  // namespace

NamedTensors read_safetensors(const fs::path& path, Metadata* metadata) {
  const std::string file = "\"" + path.string() + "\"";
  InputFile input(path, Pipes::refused);
  const auto size = static_cast<uint64_t>(input.size());
  if (size < length_bytes)
    throw Error("{}: has {} bytes; a safetensors file begins with 8 bytes of header length", file,
                size);

  uint64_t header_bytes = 0;
  input.read(reinterpret_cast<char*>(&header_bytes), length_bytes);
  if (header_bytes > size - length_bytes || header_bytes > largest_header)
    throw Error(
        "{}: states a header of {} bytes, but has {} after the length; it is truncated or no "
        "safetensors file",
        file, header_bytes, size - length_bytes);
  const uint64_t data_bytes = size - length_bytes - header_bytes;
  std::string header_text(header_bytes, '\0');
  input.read(header_text.data(), header_bytes);

  const Json header = parse_json(header_text, "header of " + file);
  if (!header.is_object()) throw Error("{}: its header is not a JSON object", file);
  std::vector<Entry> entries;
  Metadata text;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__")
      text = read_metadata(value, file);
    else
      entries.push_back(read_entry(name, value, file, data_bytes));
  }
  const std::vector<size_t> by_place = order_in_file(entries);
  check_layout(entries, by_place, file, data_bytes);

  const std::string promised = take_digest(text, file);
  const auto digits = digest_position(header_text);
  if (digits != std::string::npos) header_text.replace(digits, no_digest.size(), no_digest);
  Digest digest;
  digest.update({reinterpret_cast<const char*>(&header_bytes), length_bytes});
  digest.update(header_text);
  std::vector<Tensor> values(entries.size());
  for (const size_t i : by_place) {
    values[i] = read_tensor(input, entries[i], file);
    if (!promised.empty()) digest.update(bytes_of(values[i]));
  }
  if (!promised.empty() && promised != digest.text())
    throw Error(
        "{}: its bytes do not fit their digest: the file was damaged or changed after it was "
        "written. Fetch or write it again",
        file);

  NamedTensors tensors;
  for (size_t i = 0; i < entries.size(); ++i) tensors.insert(entries[i].name, values[i]);
  if (metadata) *metadata = std::move(text);
  return tensors;
}

void check_safetensors(const fs::path& path, const NamedTensors& tensors) {
  for (const auto& item : tensors) {
    const auto refuse = [&](std::string_view what) {
      throw Error("cannot write \"{}\": tensor \"{}\" {}", path.string(), item.key(), what);
    };
    if (item.key() == "__metadata__") refuse("has a name that the format keeps for itself");
    if (!item.value().defined()) refuse("is undefined");
    if (item.value().is_meta()) refuse("has a shape but no numbers: it is on the device meta");
    if (item.value().layout() != torch::kStrided) refuse("is sparse; write to_dense() of it");
    if (kind_name(item.value().scalar_type()) == nullptr)
      refuse(fmt::format("is of type {}, expected one of {}",
                         c10::toString(item.value().scalar_type()), known_kinds()));
  }
}

void write_safetensors(const fs::path& path, const NamedTensors& tensors,
                       const Metadata& metadata) {
  check_safetensors(path, tensors);
  const std::string file = "\"" + path.string() + "\"";
  std::vector<const NamedTensors::Item*> by_size;
  for (const auto& item : tensors) by_size.push_back(&item);
  std::stable_sort(by_size.begin(), by_size.end(), [](const auto* a, const auto* b) {
    return a->value().element_size() > b->value().element_size();
  });
  std::unordered_map<std::string_view, uint64_t> begins;
  uint64_t at = 0;
  for (const auto* item : by_size) {
    begins[item->key()] = at;
    at += item->value().nbytes();
  }

  Metadata all = metadata;
  all[digest_key] = std::string(no_digest);
  all[digest_note_key] = digest_note;
  Json::object_t header;
  header.emplace_back("__metadata__", all);
  for (const auto& item : tensors) {
    const Tensor& tensor = item.value();
    const uint64_t begin = begins.at(item.key());
    header.emplace_back(item.key(), Json{{"dtype", kind_name(tensor.scalar_type())},
                                         {"shape", tensor.sizes().vec()},
                                         {"data_offsets", {begin, begin + tensor.nbytes()}}});
  }
  std::string text;
  try {
    text = json_text(Json(std::move(header)), -1);
  } catch (const Error& error) {  // a name that is not UTF-8
    throw Error("cannot write {}: its header: {}", file, error.what());
  }
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');

  AtomicFile output(path);
  Digest digest;
  const auto write = [&](std::string_view bytes) {
    digest.update(bytes);
    output.write(bytes);
  };
  const uint64_t header_bytes = text.size();
  write({reinterpret_cast<const char*>(&header_bytes), length_bytes});
  write(text);
  for (const auto* item : by_size) write(bytes_of(plain(item->value())));
  output.rewrite(length_bytes + digest_position(text), digest.text());
  output.commit();
}

}  // namespace mtl::io
