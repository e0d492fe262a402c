#include "mtl/train/pictures/picture_features.hpp"

#include <torch/nn/functional/normalization.h>

#include <string>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/data/images/encoded_pictures.hpp"
#include "mtl/io/cached_tensors.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/safetensors.hpp"

namespace mtl {
namespace {

std::string digest_of(const std::filesystem::path& file) {
  io::Digest digest;
  digest.update(io::read_file(file));
  return digest.text();
}

Tensor of_unit_length(const Tensor& rows) { return torch::nn::functional::normalize(rows); }

}  // namespace

PictureFeatures::PictureFeatures(const std::filesystem::path& weights) : weights_(weights) {
  const NamedTensors tensors = io::read_safetensors(weights);
  if (!tensors.contains("_fc.weight") || !tensors.contains("_fc.bias"))
    throw Error(
        "{}: the ImageNet classifier (_fc.weight, _fc.bias) is missing. Make the file with "
        "convert_efficientnet.py",
        weights.string());
  encoder_->load_weights(tensors);
  encoder_->freeze();
  encoder_->eval();
  class_weight_ = tensors["_fc.weight"];
  class_bias_ = tensors["_fc.bias"];
}

Tensor PictureFeatures::of(const ImageDataset& pictures, int64_t workers) {
  using Network = nn::EfficientNetLiteImpl;
  constexpr double mean = Network::picture_mean, deviation = Network::picture_deviation;
  const auto classes = [&](const Tensor& features) {
    return torch::softmax(features.matmul(class_weight_.t()) + class_bias_, 1);
  };
  const auto look = [&](const Tensor& batch) {
    const Tensor as_is = encoder_->forward(batch), mirrored = encoder_->forward(batch.flip(3));
    return torch::cat({of_unit_length(of_unit_length(as_is) + of_unit_length(mirrored)),
                       (classes(as_is) + classes(mirrored)) / 2},
                      1);
  };
  images::Preparation view{.filter = images::Filter::bicubic,
                           .normalize = {{mean, mean, mean}, {deviation, deviation, deviation}}};
  std::vector<Tensor> seen;
  for (const auto& [side, shorter_side] :
       {std::pair(288, 288), std::pair(288, 0), std::pair(224, 0)}) {
    view.width = view.height = side;
    view.shorter_side = shorter_side;
    seen.push_back(encoded_pictures(pictures, view, look, workers));
  }
  const c10::NoGradGuard no_grad;
  const Tensor views = torch::stack(seen);
  const auto parts = views.split_with_sizes({Network::output_size, class_bias_.numel()}, 2);
  constexpr double probability_share = 0.5, scale = 20;
  return scale *
         torch::cat({of_unit_length(parts[0].sum(0)), probability_share * parts[1].mean(0).sqrt()},
                    1);
}

Tensor PictureFeatures::kept(const ImageDataset& pictures, int64_t workers,
                             const std::filesystem::path& folder) {
  // What `of` does has a version: the next one does not take this one's for its own.
  io::Digest digest;
  digest.update("2 " + digest_of(weights_));
  for (int64_t row = 0; row < pictures.size(); ++row) digest.update(digest_of(pictures.file(row)));
  const auto file = (folder.empty() ? weights_.parent_path() : folder) /
                    ("features-" + digest.text() + ".safetensors");
  return io::cached_tensors(file, digest.text(), [&] {
    return NamedTensors{{"features", of(pictures, workers)}};
  })["features"];
}

}  // namespace mtl
