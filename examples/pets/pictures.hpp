#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "pet_data.hpp"

namespace pets {

/// Pictures by the files' names, those that cannot be read left out.
struct ReadablePictures {
  std::vector<PetPicture> pictures;
  std::vector<std::string> warnings;  ///< one a file that is damaged or odd
};

/// Reads every picture once with `threads` threads. Error: none of them can be read.
ReadablePictures readable(const std::vector<PetPicture>& pictures, int64_t threads);

/// One way to show a picture to the encoder: its middle square, or the whole picture squeezed into
/// one.
struct View {
  int64_t side = 224;  ///< pixels, after enlarging (bicubic)
  bool whole = false;
};

/// What the ImageNet encoder sees in the pictures, [N, size] float.
///
/// Each picture is read in every view, as it is and mirrored. A row holds the pooled features of
/// these looks, each of unit length, averaged; and beside them the square roots of the mean
/// ImageNet probabilities, so that distances between rows count what the encoder sees and what it
/// takes it for (several ImageNet classes are breeds of this data set).
class FrozenFeatures {
 public:
  static constexpr int64_t size = 1280 + 1000;

  /// `weights`: the safetensors file that convert_efficientnet.py makes. The default views were
  /// chosen by cross-validation (docs/pets.md). Error: not such a file.
  explicit FrozenFeatures(const std::filesystem::path& weights,
                          std::vector<View> views = {{288, false}, {224, true}});
  ~FrozenFeatures();
  FrozenFeatures(FrozenFeatures&&) noexcept;

  mtl::Tensor of(const std::vector<PetPicture>& pictures, int64_t threads) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The middle squares of the pictures at `side` pixels, [N, 3, side, side] float, each channel
/// around 0 and about 1 wide.
mtl::Tensor small_pictures(const std::vector<PetPicture>& pictures, int64_t side, int64_t threads);

/// uint8 [3, height, width] of one file, for showing.
mtl::Tensor picture_of(const std::filesystem::path& file);

}  // namespace pets
