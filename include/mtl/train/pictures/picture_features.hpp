#pragma once

#include <cstdint>
#include <filesystem>

#include "mtl/data/images/dataset.hpp"
#include "mtl/nn/encoders/efficientnet_lite.hpp"

namespace mtl {

/// What an ImageNet network sees in pictures and what it takes them for: numbers from which a small
/// network learns with some hundred pictures. Each is looked at six times, its middle square at 288
/// pixels and the whole of it squeezed into 288 x 288 and 224 x 224, as they are and mirrored. Of
/// these the pooled features, each of unit length, are averaged, and so are the probabilities of
/// the ImageNet classes, whose square roots (their distances are Hellinger's) count half. The scale
/// suits the steps of Adam: about unit deviation. How that was chosen: docs/pets.md.
///
///     mtl::PictureFeatures features("efficientnet_lite0.safetensors");
///     mtl::TensorDataset data({{"input", features.kept(pets)}}, pets.targets());
class PictureFeatures {
 public:
  /// `weights`: EfficientNet-Lite0 and its classifier in a safetensors file, as
  /// convert_efficientnet.py makes it (docs/pictures.md). Error: not such a file.
  explicit PictureFeatures(const std::filesystem::path& weights);

  /// [pictures, 1280 + ImageNet's classes] float32. Error: a picture that cannot be used.
  Tensor of(const ImageDataset& pictures, int64_t workers = 1);
  /// The same, read where a run before has left it: in a file of `folder` (empty: that of the
  /// weights), named by a digest of the weights and of every picture, which is made where it is not
  /// there. Error: as `of`; it cannot be written.
  Tensor kept(const ImageDataset& pictures, int64_t workers = 1,
              const std::filesystem::path& folder = {});

 private:
  std::filesystem::path weights_;
  nn::EfficientNetLite encoder_;
  Tensor class_weight_, class_bias_;  // of the classifier, [C, 1280] and [C]
};

}  // namespace mtl
