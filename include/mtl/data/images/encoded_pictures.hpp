#pragma once

#include <c10/core/GradMode.h>

#include <cstdint>
#include <functional>

#include "mtl/data/images/loader.hpp"
#include "mtl/data/images/preparation.hpp"

namespace mtl {

/// What `encode` makes of all pictures, [N, ...] in their order, without gradients: what a frozen
/// encoder gives need not be computed anew in every epoch. It is given batches [n, 3, height,
/// width]; where there is none, the result are the pictures, for those that fit into memory.
///
///     const auto small = mtl::encoded_pictures(pets, {.width = 64, .height = 64});
///     const auto seen = mtl::encoded_pictures(
///         pets, prepared, [&](const Tensor& batch) { return encoder->forward(batch); });
///
/// Error: a picture that cannot be used, with its file.
Tensor encoded_pictures(const ImageDataset& pictures, const images::Preparation& prepared,
                        const std::function<Tensor(const Tensor&)>& encode = {},
                        int64_t workers = 1);

}  // namespace mtl
