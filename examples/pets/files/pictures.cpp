#include "pictures.hpp"

namespace pets {

ReadablePets readable(const std::vector<PetPicture>& pets, int64_t threads) {
  std::vector<std::filesystem::path> files;
  for (const PetPicture& pet : pets) files.push_back(pet.file);
  const mtl::ImageDataset all(files);
  const mtl::Tensor usable = all.usable(threads);
  if (usable.numel() == 0)
    throw mtl::Error("none of the {} pictures can be read; the first is {}", files.size(),
                     files.front().string());
  ReadablePets result{{}, all.rows(usable), {}};
  for (int64_t i = 0; i < usable.numel(); ++i)
    result.pets.push_back(pets[static_cast<size_t>(usable[i].item<int64_t>())]);
  for (const mtl::ImageFinding& finding : all.findings()) result.flaws.push_back(finding.text);
  return result;
}

mtl::Tensor small_pictures(const mtl::ImageDataset& pictures, int64_t side, int64_t threads) {
  return mtl::encoded_pictures(pictures,
                               {.width = side,
                                .height = side,
                                .shorter_side = side,
                                .filter = mtl::images::Filter::bicubic,
                                .normalize = {{0.45, 0.45, 0.45}, {0.25, 0.25, 0.25}}},
                               {}, threads);
}

}  // namespace pets
