#pragma once

#include "files/traits.hpp"

namespace pets {

/// Draws `each` animal faces of every breed: the input "picture", uint8 [N, 3, size, size], RGB,
/// and the targets "breed" [N], ascending, and "ear", "hair", "figure": what was drawn. These are
/// chosen by the breed's scores, so the auxiliary labels say what is really in the picture; coat,
/// marking and eyes belong to the breed, too, but vary. Place, size, tilt, light and background
/// mean nothing. The same seed draws the same pictures.
/// Error: scores of a group are unknown or all zero.
mtl::TensorDataset draw_pets(const TraitScores& breeds, int64_t each, int64_t size, uint64_t seed);

}  // namespace pets
