#include "mtl/data/images/encoded_pictures.hpp"

namespace mtl {

Tensor encoded_pictures(const ImageDataset& pictures, const images::Preparation& prepared,
                        const std::function<Tensor(const Tensor&)>& encode, int64_t workers) {
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
