#pragma once

#include "pet_data.hpp"

namespace pets {

/// Those of some pets whose pictures can be read.
struct ReadablePets {
  std::vector<PetPicture> pets;
  mtl::ImageDataset images;        ///< theirs
  std::vector<std::string> flaws;  ///< one a file that is damaged or odd
};

/// Reads every picture once with `threads` threads. Error: none of them can be read.
ReadablePets readable(const std::vector<PetPicture>& pets, int64_t threads);

/// The middle squares of the pictures, [N, 3, side, side], around 0 and about 1 wide.
mtl::Tensor small_pictures(const mtl::ImageDataset& pictures, int64_t side, int64_t threads);

}  // namespace pets
