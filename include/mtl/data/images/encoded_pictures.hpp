#pragma once

#include <c10/core/GradMode.h>

#include <cstdint>
#include <functional>
#include <vector>

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
inline Tensor encoded_pictures(const ImageDataset& pictures, const images::Preparation& prepared,
                               const std::function<Tensor(const Tensor&)>& encode = {},
                               int64_t workers = 1) {
  const c10::NoGradGuard no_grad;
  ImageLoader loader(pictures, {.batch_size = 16,
                                .transform = prepared.transform(),
                                .normalize = prepared.normalize,
                                .workers = workers});
  std::vector<Tensor> encoded;
  for (Batch batch; loader.next(batch);) {
    const Tensor& some = batch.inputs["image"];
    encoded.push_back(encode ? encode(some) : some.contiguous());
  }
  for (const ImageFinding& finding : pictures.findings())
    if (!finding.usable)
      throw Error("{}. Leave such pictures out: pictures.rows(pictures.usable())", finding.text);
  return torch::cat(encoded);
}

}  // namespace mtl
