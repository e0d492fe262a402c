#ifdef MTL_HAS_IMAGES

#include "mtl/train/pictures/picture_features.hpp"

#include <torch/nn/functional/normalization.h>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/images/images.hpp"
#include "temporary_folder.hpp"

using mtl::Tensor;
namespace images = mtl::images;

namespace {

const auto shared = std::filesystem::path(MTL_SOURCE_DIR) / "../shared/data";
const auto weights = shared / "efficientnet_lite0/efficientnet_lite0.safetensors";

bool weights_are_there() {
  if (std::filesystem::exists(weights)) return true;
  WARN("skipped: " << weights.string() << " is not there");
  return false;
}

void copy_picture(const char* name, const std::filesystem::path& to) {
  std::filesystem::copy_file(shared / "pets128/images" / name, to,
                             std::filesystem::copy_options::overwrite_existing);
}

}  // namespace

TEST_CASE("PictureFeatures: of one picture what six looks at it give by hand") {
  if (!weights_are_there()) return;
  const TemporaryFolder folder;
  copy_picture("Abyssinian_1.jpg", folder / "a.jpg");
  const images::Image picture = images::read(folder / "a.jpg").image;
  images::Random random(0, 0, 0);
  const images::Image larger = images::ResizeShorter{288, images::Filter::bicubic}(picture, random);
  const std::vector<images::Image> views = {
      images::CenterCrop{288, 288}(larger, random),
      images::resize(picture, 288, 288, images::Filter::bicubic),
      images::resize(picture, 224, 224, images::Filter::bicubic)};

  mtl::nn::EfficientNetLite encoder;
  encoder->load_weights(weights);
  encoder->eval();
  const auto tensors = mtl::io::read_safetensors(weights);
  const auto unit = [](const Tensor& row) { return row / row.square().sum().sqrt(); };
  const torch::NoGradGuard no_grad;
  Tensor seen = torch::zeros({1280}), probability = torch::zeros({1000});
  for (const images::Image& view : views) {
    const Tensor pixels = (images::to_tensor(view).to(torch::kFloat) / 255 - 0.498) / 0.502;
    Tensor both = torch::zeros({1280});
    for (const Tensor& side : {pixels, pixels.flip(2)}) {
      const Tensor features = encoder->forward(side.unsqueeze(0))[0];
      both += unit(features);
      const Tensor logits = tensors["_fc.weight"].mv(features) + tensors["_fc.bias"];
      probability += logits.softmax(0) / 6;
    }
    seen += unit(both);
  }
  const Tensor expected = torch::cat({20 * unit(seen), 10 * probability.sqrt()});

  mtl::PictureFeatures features(weights);
  const Tensor found = features.of(mtl::ImageDataset({folder / "a.jpg"}));
  REQUIRE(found.sizes() == std::vector<int64_t>{1, 2280});
  CHECK(torch::allclose(found[0], expected, 1e-3, 1e-3));
}

TEST_CASE("PictureFeatures: they are kept until a picture changes") {
  if (!weights_are_there()) return;
  const TemporaryFolder folder;
  copy_picture("Abyssinian_1.jpg", folder / "a.jpg");
  mtl::PictureFeatures features(weights);
  const auto kept = [&] {
    return features.kept(mtl::ImageDataset({folder / "a.jpg"}), 1, folder / "features");
  };
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(folder / "features"), {});
  };
  const Tensor first = kept();
  CHECK(first.equal(features.of(mtl::ImageDataset({folder / "a.jpg"}))));
  CHECK(kept().equal(first));
  CHECK(files() == 1);
  copy_picture("Abyssinian_10.jpg", folder / "a.jpg");
  CHECK_FALSE(kept().equal(first));
  CHECK(files() == 2);
}

TEST_CASE("PictureFeatures: Error: weights without a classifier") {
  const TemporaryFolder folder;
  mtl::io::write_safetensors(folder / "encoder.safetensors", {{"x", torch::zeros({1})}});
  const auto text = error_text([&] { mtl::PictureFeatures(folder / "encoder.safetensors"); });
  CHECK(contains(text, "encoder.safetensors: the ImageNet classifier"));
}

#endif
