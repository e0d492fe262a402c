#include <catch.hpp>
#include <filesystem>

#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file.hpp"
#include "temporary_folder.hpp"
#include "vision/animals.hpp"

using namespace vision;

TEST_CASE("Vision example: what is drawn has the box and the outline that its labels say") {
  const int64_t size = 96;
  const Animals animals = draw_animals(200, size, 3);
  CHECK(animals.pictures.sizes() == at::IntArrayRef({200, 3, size, size}));
  CHECK(std::get<0>(at::_unique(animals.targets["breed"])).numel() == std::ssize(animals.breeds));
  const Tensor box = animals.targets["head"], outline = animals.targets["outline"];
  for (int64_t n = 0; n < 200; ++n) {
    // Head and ears are the top of the animal, wherever it stands.
    const Tensor rows = outline[n].any(1).nonzero().flatten();
    const double top = (box[n][1] - box[n][3] / 2).item<double>() * size;
    CHECK(std::abs(rows[0].item<double>() - top) < 1.5);
    const auto middle = [&](int64_t axis) { return (box[n][axis] * size).item<int64_t>(); };
    CHECK(outline[n][middle(1)][middle(0)].item<double>() == 1);
  }
  CHECK(draw_animals(200, size, 3).pictures.equal(animals.pictures));
}

TEST_CASE("Vision example: pictures, boxes and trimaps of real animals; what is not there misses") {
  const std::filesystem::path pets = MTL_SOURCE_DIR "/../shared/data/pets128";
  if (!std::filesystem::exists(pets / "trimaps")) {
    WARN("skipped: there are no trimaps in " << pets.string());
    return;
  }
  const TemporaryFolder folder;
  for (const char* part : {"images", "trimaps"}) std::filesystem::create_directory(folder / part);
  for (const char* name :
       {"images/Abyssinian_1.jpg", "images/Abyssinian_10.jpg", "trimaps/Abyssinian_1.png"})
    std::filesystem::copy_file(pets / name, folder / name);
  mtl::io::write_file_atomically(folder / "manifest.csv",
                                 "file,breed,orig_w,orig_h,xmin,ymin,xmax,ymax\n"
                                 "images/Abyssinian_1.jpg,Abyssinian,600,400,333,72,425,158\n"
                                 "images/Abyssinian_10.jpg,Bengal,375,500,,,,\n");
  const Animals animals = read_animals(folder.path(), 32);
  CHECK(animals.pictures.sizes() == at::IntArrayRef({2, 3, 32, 32}));
  CHECK(animals.breeds == std::vector<std::string>{"Abyssinian", "Bengal"});
  const Tensor box = animals.targets["head"], outline = animals.targets["outline"];
  CHECK(box[0][0].item<double>() == Approx((333 + 425) / 1200.0));
  CHECK(box[0][3].item<double>() == Approx((158 - 72) / 400.0));
  CHECK(box[1].isnan().all().item<bool>());
  CHECK(outline[1].isnan().all().item<bool>());
  const double share = outline[0].mean().item<double>();
  CHECK(share == Approx((2356 + 1864) / (192 * 128.0)).margin(0.02));
}
