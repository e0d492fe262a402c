#ifdef MTL_HAS_IMAGES

#include "mtl/data/images/encoded_pictures.hpp"

#include <torch/torch.h>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/images/images.hpp"
#include "picture_files.hpp"
#include "temporary_folder.hpp"

TEST_CASE("encoded_pictures: all of them in order, as they are or as they are encoded") {
  const TemporaryFolder folder;
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 35; ++i) {  // three batches
    const auto bytes = picture_bytes(i % 2 == 0 ? "rgb.png" : "grey.png");
    files.push_back(write_bytes(folder / (std::to_string(i) + ".png"), bytes));
  }
  const mtl::ImageDataset pictures(files);
  const mtl::images::Preparation prepared{
      .width = 8, .height = 6, .normalize = {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}}};
  const mtl::Tensor all = mtl::encoded_pictures(pictures, prepared);
  REQUIRE(all.sizes() == std::vector<int64_t>{35, 3, 6, 8});
  for (int64_t i = 0; i < 35; ++i) {
    const auto small = mtl::images::resize(*pictures.image(i), 8, 6);
    const auto expected = (mtl::images::to_tensor(small).to(torch::kFloat) / 255 - 0.5) / 0.25;
    CHECK(torch::allclose(all[i], expected, 1e-5, 1e-6));
  }
  const torch::Tensor scale = torch::ones({1}).requires_grad_();
  const auto means = mtl::encoded_pictures(
      pictures, prepared,
      [&](const mtl::Tensor& batch) {
        return scale * batch.mean({1, 2, 3});
      },
      2);
  CHECK(torch::allclose(means, all.mean({1, 2, 3})));
  CHECK_FALSE(means.requires_grad());
}

TEST_CASE("encoded_pictures: Error: a picture that cannot be used, since rows would not fit") {
  const TemporaryFolder folder;
  write_bytes(folder / "good.png", picture_bytes("rgb.png"));
  std::ofstream(folder / "bad.png") << "no picture";
  const mtl::ImageDataset pictures({folder / "good.png", folder / "bad.png"});
  const auto text = error_text([&] { mtl::encoded_pictures(pictures, {.width = 8, .height = 8}); });
  CHECK(contains(text, "bad.png"));
  CHECK(contains(text, "pictures.usable()"));
}

#endif
