#include "pictures.hpp"

namespace pets {
namespace {

namespace images = mtl::images;
using mtl::Tensor;
using Encoder = mtl::nn::EfficientNetLiteImpl;

images::Compose middle_square(int64_t side) {
  return {{images::ResizeShorter{side, images::Filter::bicubic}, images::CenterCrop{side, side}}};
}

/// What `look` makes of each batch of pictures [n, 3, H, W], one below the other.
template <class Look>
Tensor looks(const mtl::ImageDataset& pictures, images::Transform transform, double mean,
             double deviation, int64_t threads, Look look) {
  mtl::ImageLoader loader(pictures,
                          {.batch_size = 16,
                           .transform = std::move(transform),
                           .normalize = {{mean, mean, mean}, {deviation, deviation, deviation}},
                           .workers = threads});
  std::vector<Tensor> seen;
  for (mtl::Batch batch; loader.next(batch);) seen.push_back(look(batch.inputs["image"]));
  return torch::cat(seen);
}

std::string digest_of(const std::filesystem::path& file) {
  mtl::io::Digest digest;
  digest.update(mtl::io::read_file(file));
  return digest.text();
}

Tensor unit(const Tensor& rows) { return torch::nn::functional::normalize(rows); }

}  // namespace

ReadablePictures readable(const std::vector<std::filesystem::path>& files, int64_t threads) {
  const mtl::ImageDataset all(files);
  const Tensor usable = all.usable(threads);
  if (usable.numel() == 0)
    throw mtl::Error("none of the {} pictures can be read; the first is {}", files.size(),
                     files.front().string());
  ReadablePictures result{all.rows(usable), {}, {}};
  result.rows.assign(usable.data_ptr<int64_t>(), usable.data_ptr<int64_t>() + usable.numel());
  for (const mtl::ImageFinding& finding : all.findings()) result.flaws.push_back(finding.text);
  return result;
}

FrozenFeatures::FrozenFeatures(const std::filesystem::path& weights)
    : weights_(digest_of(weights)) {
  const mtl::NamedTensors tensors = mtl::io::read_safetensors(weights);
  if (!tensors.contains("_fc.weight") || !tensors.contains("_fc.bias"))
    throw mtl::Error(
        "{}: the ImageNet classifier (_fc.weight, _fc.bias) is missing. Make the file with "
        "convert_efficientnet.py",
        weights.string());
  encoder_->load_weights(tensors);
  encoder_->freeze();
  encoder_->eval();
  class_weight_ = tensors["_fc.weight"];
  class_bias_ = tensors["_fc.bias"];
}

Tensor FrozenFeatures::of(const mtl::ImageDataset& pictures, int64_t threads) {
  const torch::NoGradGuard no_grad;
  const auto classes = [&](const Tensor& features) {
    return torch::softmax(features.matmul(class_weight_.t()) + class_bias_, 1);
  };
  const auto look = [&](const Tensor& batch) {
    const Tensor as_is = encoder_->forward(batch), mirrored = encoder_->forward(batch.flip(3));
    return torch::cat(
        {unit(unit(as_is) + unit(mirrored)), (classes(as_is) + classes(mirrored)) / 2}, 1);
  };
  std::vector<Tensor> seen;
  for (const images::Transform& view :
       {images::Transform(middle_square(288)),
        images::Transform(images::Resize{288, 288, images::Filter::bicubic}),
        images::Transform(images::Resize{224, 224, images::Filter::bicubic})})
    seen.push_back(
        looks(pictures, view, Encoder::picture_mean, Encoder::picture_deviation, threads, look));
  const Tensor views = torch::stack(seen);
  const auto parts = views.split_with_sizes({Encoder::output_size, class_bias_.numel()}, 2);
  // Chosen by cross-validation; the scale suits the step size of Adam: about unit deviation.
  constexpr double probability_share = 0.5, scale = 20;
  return scale *
         torch::cat({unit(parts[0].sum(0)), probability_share * parts[1].mean(0).sqrt()}, 1);
}

Tensor FrozenFeatures::kept(const mtl::ImageDataset& pictures, int64_t threads,
                            const std::filesystem::path& folder) {
  // What `of` does has a version: the next one does not take this one's for its own.
  mtl::io::Digest digest;
  digest.update("2 " + weights_);
  for (int64_t row = 0; row < pictures.size(); ++row) digest.update(digest_of(pictures.file(row)));
  const auto file = folder / ("features-" + digest.text() + ".safetensors");
  return mtl::io::cached_tensors(file, digest.text(), [&] {
    return mtl::NamedTensors{{"features", of(pictures, threads)}};
  })["features"];
}

Tensor small_pictures(const mtl::ImageDataset& pictures, int64_t side, int64_t threads) {
  return looks(pictures, middle_square(side), 0.45, 0.25, threads,
               [](const Tensor& batch) { return batch.contiguous(); });
}

}  // namespace pets
