#pragma once

#include "mtl/mtl.hpp"

namespace pets {

/// Pictures by their files, without those that cannot be read.
struct ReadablePictures {
  mtl::ImageDataset images;
  std::vector<int64_t> rows;       ///< of the files that were given
  std::vector<std::string> flaws;  ///< one a file that is damaged or odd
};

/// Reads every picture once with `threads` threads. Error: none of them can be read.
ReadablePictures readable(const std::vector<std::filesystem::path>& files, int64_t threads);

/// What the ImageNet encoder sees in the pictures and what it takes it for: pooled features, and
/// beside them the square roots of ImageNet probabilities, [N, 1280 + 1000] (docs/pets.md).
class FrozenFeatures {
 public:
  /// `weights`: the safetensors file that convert_efficientnet.py makes. Error: not such a file.
  explicit FrozenFeatures(const std::filesystem::path& weights);
  mtl::Tensor of(const mtl::ImageDataset& pictures, int64_t threads);
  /// The same, read where a run before has left it in the folder. Error: it cannot be written.
  mtl::Tensor kept(const mtl::ImageDataset& pictures, int64_t threads,
                   const std::filesystem::path& folder);

 private:
  std::string weights_;  // the file's bytes, as a digest
  mtl::nn::EfficientNetLite encoder_;
  mtl::Tensor class_weight_, class_bias_;  // of the ImageNet classifier, [1000, 1280] and [1000]
};

/// The middle squares of the pictures, [N, 3, side, side], around 0 and about 1 wide.
mtl::Tensor small_pictures(const mtl::ImageDataset& pictures, int64_t side, int64_t threads);

}  // namespace pets
