#include <torch/torch.h>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/cached_tensors.hpp"
#include "temporary_folder.hpp"

TEST_CASE("cached_tensors: made once of the same, again of something else or when damaged") {
  const TemporaryFolder folder;
  const auto file = folder / "below" / "features.safetensors";
  int made = 0;
  const auto features = [&](const std::string& made_of) {
    return mtl::io::cached_tensors(
               file, made_of,
               [&] {
                 return mtl::NamedTensors{{"features", torch::full({2}, ++made)}};
               })["features"][0]
        .item<int>();
  };
  CHECK(features("pictures 1") == 1);
  CHECK(features("pictures 1") == 1);
  CHECK(features("pictures 2") == 2);
  CHECK(features("pictures 2") == 2);

  std::string bytes = mtl::io::read_file(file);
  bytes.back() ^= 1;
  mtl::io::write_file_atomically(file, bytes);
  CHECK(features("pictures 2") == 3);
  CHECK(features("pictures 2") == 3);

  mtl::io::write_safetensors(file, {{"features", torch::zeros({2})}});  // by another program
  CHECK(features("pictures 2") == 4);
}

TEST_CASE("cached_tensors: what cannot be kept is an error with the file's name") {
  const TemporaryFolder folder;
  mtl::io::write_file_atomically(folder / "file", "");
  const auto fault = [&](const std::filesystem::path& file) {
    return error_text([&] {
      mtl::io::cached_tensors(file, "", [] {
        return mtl::NamedTensors{{"features", torch::zeros({1})}};
      });
    });
  };
  CHECK(contains(fault(folder / "file" / "features.safetensors"), "file"));
  CHECK(contains(fault(folder / std::string(300, 'n')), "too long"));
}
