#include "pictures.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/data/images/images.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/encoders/efficientnet_lite.hpp"

namespace pets {
namespace {

namespace images = mtl::images;
using mtl::Tensor;

constexpr int64_t batch_size = 16;

mtl::ImageDataset dataset_of(const std::vector<PetPicture>& pictures) {
  std::vector<std::filesystem::path> files;
  for (const PetPicture& picture : pictures) files.push_back(picture.file);
  return mtl::ImageDataset(std::move(files));
}

images::Transform to_square(const View& view) {
  if (view.whole) return images::Resize{view.side, view.side, images::Filter::bicubic};
  return images::Compose{{images::ResizeShorter{view.side, images::Filter::bicubic},
                          images::CenterCrop{view.side, view.side}}};
}

mtl::ImageLoader squares(const mtl::ImageDataset& dataset, const View& view, int64_t threads,
                         images::Normalize normalize) {
  return mtl::ImageLoader(dataset, {.batch_size = batch_size,
                                    .transform = to_square(view),
                                    .normalize = normalize,
                                    .workers = threads});
}

Tensor unit(const Tensor& rows) { return torch::nn::functional::normalize(rows); }

}  // namespace

ReadablePictures readable(const std::vector<PetPicture>& pictures, int64_t threads) {
  const mtl::ImageDataset dataset = dataset_of(pictures);
  const Tensor rows = dataset.usable(threads);
  if (rows.numel() == 0)
    throw mtl::Error("none of the {} pictures can be read; the first is {}.", pictures.size(),
                     pictures.empty() ? "" : pictures.front().file.string());
  ReadablePictures result;
  for (int64_t i = 0; i < rows.numel(); ++i)
    result.pictures.push_back(pictures[static_cast<size_t>(rows[i].item<int64_t>())]);
  for (const mtl::ImageFinding& finding : dataset.findings())
    result.warnings.push_back(finding.text);
  return result;
}

struct FrozenFeatures::State {
  mtl::nn::EfficientNetLite encoder;
  Tensor class_weight, class_bias;  // of the ImageNet classifier, [1000, 1280] and [1000]
  std::vector<View> views;
};

FrozenFeatures::FrozenFeatures(const std::filesystem::path& weights, std::vector<View> views)
    : state_(std::make_unique<State>()) {
  const mtl::NamedTensors tensors = mtl::io::read_safetensors(weights);
  if (!tensors.contains("_fc.weight") || !tensors.contains("_fc.bias"))
    throw mtl::Error(
        "{}: the ImageNet classifier (_fc.weight, _fc.bias) is missing. Make the file with "
        "convert_efficientnet.py.",
        weights.string());
  state_->encoder->load_weights(tensors);
  state_->encoder->freeze();
  state_->encoder->eval();
  state_->class_weight = tensors["_fc.weight"];
  state_->class_bias = tensors["_fc.bias"];
  state_->views = std::move(views);
}

FrozenFeatures::~FrozenFeatures() = default;
FrozenFeatures::FrozenFeatures(FrozenFeatures&&) noexcept = default;

Tensor FrozenFeatures::of(const std::vector<PetPicture>& pictures, int64_t threads) const {
  const torch::NoGradGuard no_grad;
  const mtl::ImageDataset dataset = dataset_of(pictures);
  const auto classes = [&](const Tensor& features) {
    return torch::softmax(features.matmul(state_->class_weight.t()) + state_->class_bias, 1);
  };
  using Encoder = mtl::nn::EfficientNetLiteImpl;
  images::Normalize normalize;
  normalize.mean.fill(Encoder::picture_mean);
  normalize.deviation.fill(Encoder::picture_deviation);

  Tensor features, probabilities;
  for (const View& view : state_->views) {
    auto loader = squares(dataset, view, threads, normalize);
    std::vector<Tensor> seen, taken_for;
    mtl::Batch batch;
    while (loader.next(batch)) {
      const Tensor as_is = state_->encoder->forward(batch.inputs["image"]);
      const Tensor mirrored = state_->encoder->forward(batch.inputs["image"].flip(3));
      seen.push_back(unit(unit(as_is) + unit(mirrored)));
      taken_for.push_back((classes(as_is) + classes(mirrored)) / 2);
    }
    const Tensor all_seen = torch::cat(seen), all_taken = torch::cat(taken_for);
    features = features.defined() ? features + all_seen : all_seen;
    probabilities = probabilities.defined() ? probabilities + all_taken : all_taken;
  }
  probabilities = probabilities / static_cast<double>(state_->views.size());
  // Half the length for the probabilities: chosen by cross-validation (docs/pets.md). The factor
  // gives the columns about unit deviation, which suits the step size of Adam.
  constexpr double probability_share = 0.5, scale = 20;
  return scale * torch::cat({unit(features), probability_share * probabilities.sqrt()}, 1);
}

Tensor small_pictures(const std::vector<PetPicture>& pictures, int64_t side, int64_t threads) {
  images::Normalize normalize;
  normalize.mean.fill(0.45);
  normalize.deviation.fill(0.25);
  auto loader = squares(dataset_of(pictures), {side, false}, threads, normalize);
  std::vector<Tensor> all;
  mtl::Batch batch;
  while (loader.next(batch)) all.push_back(batch.inputs["image"].contiguous());
  return torch::cat(all);
}

Tensor picture_of(const std::filesystem::path& file) {
  const images::Image image = images::read(file).image;
  const Tensor pixels = torch::empty({image.height, image.width, 3}, torch::kByte);
  std::copy(image.pixels.begin(), image.pixels.end(), pixels.data_ptr<uint8_t>());
  return pixels.permute({2, 0, 1}).contiguous();
}

}  // namespace pets
