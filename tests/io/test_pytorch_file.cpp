#include "mtl/io/pytorch_file.hpp"

#include <fstream>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/file.hpp"
#include "temporary_folder.hpp"

// Files of PyTorch itself, made by tests/golden/make_pytorch_files.py, and the same in archives of
// another kind, by make_pytorch_archives.py beside it.

namespace {

namespace fs = std::filesystem;
using mtl::Tensor;

fs::path pytorch_golden(const std::string& name) {
  return std::string(MTL_SOURCE_DIR "/tests/golden/pytorch/") + name + ".pt";
}

mtl::NamedTensors golden_tensors(const std::string& name) {
  return mtl::io::read_pytorch(pytorch_golden(name));
}

Tensor counted(std::vector<int64_t> shape, int64_t first = 0) {
  const Tensor like = torch::empty(shape);
  return (torch::arange(like.numel()) + first).to(torch::kFloat).reshape(shape);
}

std::string read_fault(const fs::path& file) {
  return error_text([&] { mtl::io::read_pytorch(file); });
}

void put_bytes(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("read_pytorch: a state_dict, by name") {
  const auto found = golden_tensors("state_dict");
  CHECK(found.keys() == std::vector<std::string>{"fc.weight", "fc.bias", "norm.weight", "norm.bias",
                                                 "norm.running_mean", "norm.running_var",
                                                 "norm.num_batches_tracked"});
  CHECK(found["fc.weight"].equal(counted({2, 3})));
  CHECK(found["fc.bias"].equal(counted({2}, 10)));
  CHECK(found["norm.running_var"].equal(counted({2}, 50)));
  CHECK(found["norm.num_batches_tracked"].equal(torch::tensor(int64_t{60})));
}

TEST_CASE("read_pytorch: tensors within a checkpoint, other values passed over") {
  const auto found = golden_tensors("checkpoint");
  CHECK(found["model.fc.weight"].sizes() == torch::IntArrayRef({2, 3}));
  CHECK(found["optimizer.state.0.exp_avg"].sizes() == torch::IntArrayRef({2, 3}));
  CHECK(found["list.0"].equal(counted({2})));
  CHECK(found["list.1.0"].equal(counted({1}, 5)));
  CHECK(found["parameter"].equal(counted({2}, 7)));
  for (const auto& item : found) CHECK_FALSE(contains(item.key(), "epoch"));
}

TEST_CASE("read_pytorch: views of one storage, and numbers of each type") {
  const auto found = golden_tensors("views");
  const Tensor whole = counted({4, 3});
  CHECK(found["whole"].equal(whole));
  CHECK(found["transposed"].equal(whole.t()));
  CHECK(found["part"].equal(torch::tensor({4.0F, 7.0F})));
  CHECK(found["scalar"].equal(torch::tensor(8.0F)));
  CHECK(found["empty"].sizes() == torch::IntArrayRef({0, 3}));
  CHECK(found["whole"].storage().data() == found["transposed"].storage().data());
  const Tensor bits = torch::tensor({0, 1, 1});
  const std::pair<const char*, at::ScalarType> types[] = {
      {"float64", at::kDouble},    {"float32", at::kFloat}, {"float16", at::kHalf},
      {"bfloat16", at::kBFloat16}, {"int64", at::kLong},    {"int32", at::kInt},
      {"int16", at::kShort},       {"int8", at::kChar},     {"uint8", at::kByte},
      {"bool", at::kBool}};
  for (const auto& [name, type] : types) {
    INFO(name);
    CHECK(found[name].scalar_type() == type);
    CHECK(found[name].equal(bits.to(type)));
  }
}

TEST_CASE("read_pytorch: what runs Python, or is no plain tensor by name, is refused by its name") {
  CHECK(contains(read_fault(pytorch_golden("runs")), "holds a posix.system"));
  CHECK(contains(read_fault(pytorch_golden("module")), "holds a torch.nn.modules.linear.Linear"));
  CHECK(contains(read_fault(pytorch_golden("sparse")), "holds a torch.serialization._get_layout"));
  CHECK(contains(read_fault(pytorch_golden("complex")), "holds a torch.ComplexFloatStorage"));
  CHECK(contains(read_fault(pytorch_golden("expanded")), "is expanded"));
  CHECK(contains(read_fault(pytorch_golden("before_1_6")), "before PyTorch 1.6"));
  CHECK(contains(read_fault(pytorch_golden("tensor")), "one tensor without a name"));
  CHECK(contains(read_fault(pytorch_golden("numbers")), "there is no tensor in it"));
  CHECK(contains(read_fault(pytorch_golden("no such file")), "no such file"));
  CHECK(contains(read_fault(MTL_SOURCE_DIR "/README.md"), "none of torch.save's files"));
}

TEST_CASE("read_pytorch: sizes and places in fields of their own, as in files above 4 GB") {
  const auto expected = golden_tensors("state_dict");
  for (const char* name : {"zip64", "zip64_places"}) {
    INFO(name);
    const auto found = golden_tensors(name);
    CHECK(found.keys() == expected.keys());
    for (const auto& item : expected) CHECK(found[item.key()].equal(item.value()));
  }
}

TEST_CASE("read_pytorch: what an archive lacks, or holds instead, is said") {
  CHECK(contains(read_fault(pytorch_golden("torchscript")), "is TorchScript"));
  CHECK(contains(read_fault(pytorch_golden("no_pickle")), "without data.pkl"));
  CHECK(contains(read_fault(pytorch_golden("high_byte_first")), "the high byte first"));
  CHECK(contains(read_fault(pytorch_golden("no_storage")), "\"state_dict/data/0\" is not in it"));
  CHECK(contains(read_fault(pytorch_golden("short_storage")),
                 "has 20 bytes, expected 6 numbers of 4"));
  CHECK(contains(read_fault(pytorch_golden("no_bools")), "neither 0 nor 1"));
}

TEST_CASE(
    "read_pytorch: a file that was cut off or changed anywhere is an Error, or says the same") {
  const TemporaryFolder folder;
  const std::string bytes = mtl::io::read_file(pytorch_golden("state_dict"));
  const auto expected = golden_tensors("state_dict");
  const auto file = folder / "t.pt";
  int64_t unharmed = 0;
  const auto check = [&](std::string_view changed) {
    put_bytes(file, changed);
    try {
      const auto found = mtl::io::read_pytorch(file);  // what is changed is filling, a date, ...
      CHECK(found.keys() == expected.keys());
      for (const auto& item : expected) CHECK(found[item.key()].equal(item.value()));
      ++unharmed;
    } catch (const mtl::Error& error) {
      CHECK(contains(error.what(), file.string()));
    }
  };
  for (size_t size = 0; size < bytes.size(); size += 3) check(bytes.substr(0, size));
  CHECK(unharmed == 0);
  for (size_t at = 0; at < bytes.size(); ++at)
    for (const unsigned flip : {1U, 128U}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
      check(changed);
    }
}

TEST_CASE("is_pytorch_file: told from safetensors by how it begins") {
  CHECK(mtl::io::is_pytorch_file(pytorch_golden("views")));
  CHECK_FALSE(mtl::io::is_pytorch_file(MTL_SOURCE_DIR "/README.md"));
}
