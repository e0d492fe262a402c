#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "mtl/core/tensor.hpp"
#include "traits.hpp"

namespace pets {

struct DrawnPets {
  mtl::Tensor pictures;      ///< uint8 [N, 3, size, size], RGB
  mtl::Tensor breeds;        ///< int64 [N], ascending
  mtl::NamedTensors traits;  ///< what was drawn: 0 or 1 for every ear, hair and figure
};

/// Draws `each` animal faces of every breed. Ear, hair and figure of each picture are chosen by the
/// breed's scores in the trait table, so the auxiliary labels say what is really in the picture;
/// coat, marking and eyes belong to the breed, too, but vary. Place, size, tilt, light and
/// background are random and mean nothing. The same seed draws the same pictures. Error: a breed
/// whose scores of a group are unknown or all zero.
DrawnPets draw_pets(const TraitTable& traits, std::span<const std::string> breeds, int64_t each,
                    int64_t size, uint64_t seed);

}  // namespace pets
