#include <torch/torch.h>
#include "catch.hpp"

#include <cstring>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/safetensors.hpp"
#include "temporary_folder.hpp"

using namespace mtl;
using namespace std::string_literals;

namespace {

// A file by hand: the header's length, the header, the data.
std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

std::string one_tensor(const std::string& entry, const std::string& data = "12345678") {
  return file_of("{\"w\":" + entry + "}", data);
}

std::string damage(const std::string& bytes) {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "damaged.safetensors", bytes);
  const auto text = error_text([&] { io::read_safetensors(folder / "damaged.safetensors"); });
  if (!text.empty()) CHECK(contains(text, "damaged.safetensors"));
  return text;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.numel() == 0 ||  // which has no bytes anywhere
          std::memcmp(a.contiguous().data_ptr(), b.contiguous().data_ptr(), a.nbytes()) == 0);
}

// Written by Python's safetensors: five tensors, two lines of metadata.
const std::string kFromPython =
    "P\x01\0\0\0\0\0\0"s
    R"({"__metadata__":{"epoch":"3","名前":"天気"},)"
    R"("a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
    R"("scalar":{"dtype":"F64","shape":[],"data_offsets":[8,16]},"w":{"dtype":"F32","shape":[1,3],)"
    R"("data_offsets":[16,28]},"none":{"dtype":"F16","shape":[0,4],"data_offsets":[28,28]},)"
    R"("flag":{"dtype":"BOOL","shape":[2],"data_offsets":[28,30]}} )"
    "\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\x04@\0\0\xc0?\0\0\0\xc0\0\0@@\x01\0"s;

NamedTensors tensors_from_python() {
  NamedTensors tensors;
  tensors.insert("a", torch::tensor({7}, torch::kLong));
  tensors.insert("scalar", torch::tensor(2.5, torch::kDouble));
  tensors.insert("w", torch::tensor({{1.5f, -2.f, 3.f}}));
  tensors.insert("none", torch::empty({0, 4}, torch::kHalf));
  tensors.insert("flag", torch::tensor({true, false}));
  return tensors;
}

}  // namespace

TEST_CASE("safetensors: every kind, shape and stride comes back bit for bit, in order") {
  const TemporaryFolder folder;
  torch::manual_seed(1);
  NamedTensors tensors;
  const auto bits = torch::randint(-128, 128, {3, 16}, torch::kChar);
  for (const auto type : {torch::kChar, torch::kDouble, torch::kBFloat16, torch::kByte,
                          torch::kLong, torch::kFloat, torch::kShort, torch::kHalf, torch::kInt})
    tensors.insert("z." + std::string(c10::toString(type)),
                   bits.view(type));  // NaN payloads included
  tensors.insert("bool", bits > 0);
  tensors.insert("scalar", torch::tensor(3.5));
  tensors.insert("empty", torch::empty({4, 0, 2}));
  tensors.insert("transposed", torch::rand({3, 5}).t());
  tensors.insert("strided", torch::rand({6, 6}).slice(1, 0, 6, 2));
  tensors.insert("expanded", torch::rand({1, 4}).expand({3, 4}));
  tensors.insert("needs gradient", torch::rand({2}, torch::requires_grad()) * 2);
  tensors.insert("名前 \"quoted\"\n", torch::rand({2}));
  const io::Metadata metadata{{"epoch", "3"}, {"空", "line\n\"quote\""}};

  io::write_safetensors(folder / "t.safetensors", tensors, metadata);
  io::Metadata read_metadata;
  const auto read = io::read_safetensors(folder / "t.safetensors", &read_metadata);
  CHECK(read_metadata == metadata);
  CHECK(read.keys() == tensors.keys());
  for (const auto& item : tensors) {
    INFO(item.key());
    CHECK(same(read[item.key()], item.value()));
    CHECK(read[item.key()].is_contiguous());
  }
}

TEST_CASE(
    "safetensors: data begins at a multiple of 8 and every tensor at a multiple of its element "
    "size") {
  const TemporaryFolder folder;
  NamedTensors tensors;
  tensors.insert("bytes", torch::zeros({3}, torch::kByte));
  tensors.insert("doubles", torch::zeros({2}, torch::kDouble));
  tensors.insert("halves", torch::zeros({1}, torch::kHalf));
  io::write_safetensors(folder / "t", tensors);
  const auto file = io::read_file(folder / "t");
  uint64_t header = 0;
  std::memcpy(&header, file.data(), 8);
  CHECK(header % 8 == 0);
  CHECK(file.size() == 8 + header + 3 + 16 + 2);
  CHECK(contains(file, R"("doubles":{"dtype":"F64","shape":[2],"data_offsets":[0,16]})"));
  CHECK(contains(file, R"("bytes":{"dtype":"U8","shape":[3],"data_offsets":[18,21]})"));
}

TEST_CASE("safetensors: a file without tensors") {
  const TemporaryFolder folder;
  io::write_safetensors(folder / "t", NamedTensors());
  io::Metadata metadata{{"old", "text"}};
  CHECK(io::read_safetensors(folder / "t", &metadata).is_empty());
  CHECK(metadata.empty());
}

TEST_CASE("safetensors: files of Python's package are read, and ours differ in the digest only") {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "python", kFromPython);
  io::Metadata metadata;
  const auto read = io::read_safetensors(folder / "python", &metadata);
  const auto expected = tensors_from_python();
  CHECK(metadata == io::Metadata{{"epoch", "3"}, {"名前", "天気"}});
  CHECK(read.keys() == expected.keys());
  for (const auto& item : expected) CHECK(same(read[item.key()], item.value()));

  io::write_safetensors(folder / "ours", expected, metadata);
  const auto after_metadata = [](const std::string& file) {
    return std::string(file.data() + file.find(R"("a":{)"), file.data() + file.find("}}") + 2);
  };
  const auto ours = io::read_file(folder / "ours");
  CHECK(after_metadata(ours) == after_metadata(kFromPython));
  CHECK(ours.ends_with(kFromPython.substr(kFromPython.size() - 30)));
  CHECK(contains(ours, R"({"__metadata__":{"epoch":"3","mtl.digest":")"));
  CHECK(same(io::read_safetensors(folder / "ours", &metadata)["w"], expected["w"]));
  CHECK(metadata == io::Metadata{{"epoch", "3"}, {"名前", "天気"}});
}

TEST_CASE("safetensors: a flipped bit anywhere in a file of ours is an error with its name") {
  const TemporaryFolder folder;
  io::write_safetensors(folder / "t", tensors_from_python(), {{"epoch", "3"}});
  const auto whole = io::read_file(folder / "t");
  for (size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << bit);
      INFO("bit " << bit << " of byte " << at);
      REQUIRE_FALSE(damage(bytes).empty());
    }
  auto other = whole;
  other[whole.size() - 3] ^= 1;  // within "w"
  CHECK(contains(damage(other), "do not fit their digest"));
}

TEST_CASE("safetensors: nesting costs no stack, and what a text holds is not told at length") {
  const std::string open(100'000, '['), closed(100'000, ']');
  for (const auto& header :
       {"{\"a\":" + open + closed + "}",
        one_tensor(R"({"dtype":"F32","shape":)" + open + closed + R"(,"data_offsets":[0,8]})")
            .substr(8),
        "{\"__metadata__\":{\"a\":" + open + closed + "}}"}) {
    const auto text = damage(file_of(header, ""));
    CHECK(contains(text, "stand more than 200 deep in each other"));
    CHECK(text.size() < 400);
  }
  const std::string many = "[" + std::string(50'000, '1') + "]";
  CHECK(
      damage(one_tensor(R"({"dtype":"F32","shape":)" + many + R"(,"data_offsets":[0,8]})")).size() <
      400);
  CHECK(damage(file_of("{\"" + std::string(50'000, 'x') + "\":1}", "")).size() < 400);
}

TEST_CASE("safetensors: an empty tensor whose other sizes are beyond all numbers is refused") {
  CHECK(contains(
      damage(one_tensor(R"({"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]})",
                        "")),
      "does not take"));
}

TEST_CASE("safetensors: as many tensors as a file may name") {
  const TemporaryFolder folder;
  NamedTensors tensors;
  for (int i = 0; i < 20'000; ++i) tensors.insert("t" + std::to_string(i), torch::full({1}, i));
  io::write_safetensors(folder / "t", tensors);
  const auto read = io::read_safetensors(folder / "t");
  REQUIRE(read.keys() == tensors.keys());
  CHECK(read["t19999"].item<int64_t>() == 19'999);
}

TEST_CASE("safetensors: Python's package, where installed, reads ours") {
  const std::string python = "python3 -c 'import safetensors.numpy' 2>/dev/null";
  if (std::system(python.c_str()) != 0) {
    WARN("python3 has no module safetensors");
    return;
  }
  const TemporaryFolder folder;
  io::write_safetensors(folder / "t", tensors_from_python());
  const std::string check =
      "python3 -c 'import sys, safetensors.numpy as s; t = s.load_file(sys.argv[1]); "
      "assert t[\"w\"].tolist() == [[1.5, -2, 3]] and t[\"a\"].tolist() == [7] and "
      "t[\"none\"].shape == (0, 4)' " +
      (folder / "t").string();
  CHECK(std::system(check.c_str()) == 0);
}

TEST_CASE("safetensors: a truncated file is an error wherever it ends") {
  const TemporaryFolder folder;
  for (std::size_t size = 0; size < kFromPython.size(); ++size) {
    INFO("cut after " << size << " bytes");
    REQUIRE_FALSE(damage(kFromPython.substr(0, size)).empty());
  }
  CHECK_FALSE(damage(kFromPython + "x").empty());
  CHECK(damage(kFromPython).empty());
}

TEST_CASE("safetensors: every damage has its own words") {
  CHECK(contains(damage(std::string(8, '\xff') + "{}"), "header of 18446744073709551615 bytes"));
  CHECK(contains(damage(file_of("{\"w\":", "")), "line 1, column"));
  CHECK(contains(damage(file_of("[]", "")), "not a JSON object"));
  CHECK(contains(damage(file_of("", "")), "line 1, column 1"));
  CHECK(contains(damage(one_tensor("3")), "expected an object"));
  CHECK(contains(damage(one_tensor(R"({"shape":[2],"data_offsets":[0,8]})")),
                 "\"dtype\" is missing"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","data_offsets":[0,8]})")),
                 "\"shape\" is missing"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[2]})")),
                 "\"data_offsets\" is missing"));
  const auto unknown =
      damage(one_tensor(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"));
  CHECK(contains(unknown, "tensor \"w\""));
  CHECK(contains(unknown, "\"F8_E4M3\", expected one of F64 F32"));
  CHECK(
      contains(damage(one_tensor(R"({"dtype":7,"shape":[2],"data_offsets":[0,8]})")), "kind is 7"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})")),
                 "does not take the 8 bytes"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})")),
                 "shape has -2"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})")),
                 "shape has 2.0"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":"2","data_offsets":[0,8]})")),
                 "shape is \"2\""));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})")),
                 "expected [begin, end]"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})")),
                 "data_offsets are [8,0]"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})")),
                 "8 bytes follow"));
  // 2^31 * 2^31 * 2^31 elements wrap around to 0 bytes; the second wraps to the 8 bytes that it
  // claims.
  CHECK(contains(
      damage(one_tensor(
          R"({"dtype":"F32","shape":[2147483648,2147483648,2147483648],"data_offsets":[0,0]})",
          "")),
      "does not take the 0 bytes"));
  CHECK(contains(
      damage(one_tensor(R"({"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]})")),
      "does not take"));
  CHECK(contains(
      damage(one_tensor(R"({"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]})")),
      "expected an integer"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})")),
                 "take 4 bytes, but 8 follow"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})")),
                 "after a gap"));
  CHECK(contains(damage(one_tensor(R"({"dtype":"BOOL","shape":[8],"data_offsets":[0,8]})")),
                 "neither 0 nor 1"));
  const std::string w = R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  CHECK(contains(damage(file_of("{" + w + "," + w + "}", "1234")), "\"w\" stands twice"));
  CHECK(
      contains(damage(file_of("{" + w + R"(,"v":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                              "123456")),
               "inside another tensor"));
  CHECK(
      contains(damage(file_of("{" + w + R"(,"__metadata__":{"a":1}})", "1234")), "expected text"));
  CHECK(
      contains(damage(file_of("{" + w + R"(,"__metadata__":[]})", "1234")), "__metadata__ is []"));
}

TEST_CASE("safetensors: a missing file, a folder, and what cannot be written") {
  const TemporaryFolder folder;
  CHECK(contains(error_text([&] { io::read_safetensors(folder / "none"); }), "No such file"));
  CHECK(contains(error_text([&] { io::read_safetensors(folder.path()); }), "Is a directory"));
  const auto long_name = folder / std::string(300, 'x');
  CHECK(contains(error_text([&] { io::read_safetensors(long_name); }), "File name too long"));
  CHECK(contains(error_text([&] { io::write_safetensors(long_name, NamedTensors()); }),
                 "File name too long"));
  const auto write = [&](const std::string& name, const Tensor& tensor) {
    NamedTensors tensors;
    tensors.insert(name, tensor);
    return error_text([&] { io::write_safetensors(folder / "t", tensors); });
  };
  CHECK(contains(write("w", {}), "\"w\" is undefined"));
  CHECK(contains(write("w", {}), (folder / "t").string()));
  CHECK(contains(write("w", torch::zeros({2}, torch::kComplexFloat)), "ComplexFloat"));
  CHECK(contains(write("w", torch::eye(2).to_sparse()), "sparse"));
  CHECK(contains(write("w", torch::empty({2}, torch::device(torch::kMeta))), "on the device meta"));
  CHECK(contains(write("__metadata__", torch::zeros({2})), "__metadata__"));
  CHECK_FALSE(write("\xff", torch::zeros({2})).empty());
  CHECK_FALSE(std::filesystem::exists(folder / "t"));
}

TEST_CASE("safetensors: tensors on a GPU are written from there") {
  if (!torch::cuda::is_available()) {
    WARN("no CUDA device");
    return;
  }
  const TemporaryFolder folder;
  NamedTensors tensors;
  tensors.insert("w", torch::rand({3, 4}, torch::kCUDA).t());
  io::write_safetensors(folder / "t", tensors);
  CHECK(same(io::read_safetensors(folder / "t")["w"], tensors["w"].cpu()));
}
