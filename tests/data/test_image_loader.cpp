#ifdef MTL_HAS_IMAGES

#include <torch/torch.h>

#include <map>

#include "catch.hpp"
#include "check_skip.hpp"
#include "error_text.hpp"
#include "mtl/data/images/loader.hpp"
#include "mtl/data/loader.hpp"
#include "picture_files.hpp"
#include "temporary_folder.hpp"

using namespace mtl::images;
using mtl::Batch;
using mtl::ImageDataset;
using mtl::ImageLoader;
using mtl::Tensor;

static_assert(mtl::Loader<ImageLoader>);

namespace {

// `count` pictures, each with its own brightness, 20 x 14.
std::vector<std::filesystem::path> write_pictures(const TemporaryFolder& folder, int64_t count) {
  std::vector<std::filesystem::path> files;
  for (int64_t i = 0; i < count; ++i) {
    const std::string kind = i % 2 == 0 ? "rgb.png" : "rgb.jpg";
    files.push_back(
        write_bytes(folder / (std::to_string(i) + kind.substr(3)), picture_bytes(kind)));
  }
  return files;
}

mtl::NamedTensors targets_of(int64_t count) {
  mtl::NamedTensors targets;
  targets.insert("breed", torch::arange(count));
  targets.insert("ear", torch::rand({count, 4}));
  return targets;
}

ImageLoader::Options augmented(int64_t workers) {
  return {.batch_size = 4,
          .shuffle = true,
          .seed = 3,
          .transform =
              Compose{{RandomResizedCrop{9, 8}, Flip{}, Shift{0.3}, ColorJitter{0.3, 0.3, 0.3}}},
          .normalize = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
          .workers = workers};
}

struct Epoch {
  std::vector<Tensor> pictures, breeds;
};

Epoch run(ImageLoader& loader, int64_t epoch) {
  Epoch result;
  loader.start_epoch(epoch);
  Batch batch;
  while (loader.next(batch)) {
    result.pictures.push_back(batch.inputs["image"].clone());
    result.breeds.push_back(batch.targets["breed"]);
  }
  return result;
}

bool same(const Epoch& a, const Epoch& b) {
  const auto equal = [](const Tensor& x, const Tensor& y) { return torch::equal(x, y); };
  return std::equal(a.pictures.begin(), a.pictures.end(), b.pictures.begin(), b.pictures.end(),
                    equal) &&
         std::equal(a.breeds.begin(), a.breeds.end(), b.breeds.begin(), b.breeds.end(), equal);
}

}  // namespace

TEST_CASE("ImageLoader: a batch holds the pictures and their targets") {
  TemporaryFolder folder;
  ImageDataset dataset(write_pictures(folder, 5), targets_of(5));
  ImageLoader loader(dataset, {.batch_size = 2});
  CHECK(loader.batches() == 3);
  CHECK(loader.samples() == 5);
  Batch batch;
  REQUIRE(loader.next(batch));
  const Tensor pictures = batch.inputs["image"];
  CHECK(pictures.sizes() == torch::IntArrayRef({2, 3, 14, 20}));
  CHECK(pictures.is_contiguous(torch::MemoryFormat::ChannelsLast));
  CHECK(batch.complete);
  const Image drawn = drawn_picture();
  for (const auto& [y, x, c] : {std::array<int64_t, 3>{0, 0, 0}, {3, 7, 1}, {13, 19, 2}}) {
    CHECK(pictures[0][c][y][x].item<float>() == Approx(drawn.row(y)[3 * x + c] / 255.0F));
  }
  REQUIRE(loader.next(batch));
  CHECK(torch::equal(batch.targets["breed"], torch::tensor({2, 3}, torch::kInt64)));
  CHECK(torch::equal(batch.targets["ear"], dataset.targets()["ear"].narrow(0, 2, 2)));
  CHECK(torch::equal(loader.rows(), torch::tensor({2, 3}, torch::kInt64)));
  REQUIRE(loader.next(batch));
  CHECK(mtl::size(batch) == 1);
  CHECK_FALSE(loader.next(batch));
  CHECK_FALSE(loader.next(batch));
  loader.start_epoch(1);
  CHECK(loader.next(batch));

  ImageLoader without_rest(dataset, {.batch_size = 2, .drop_last = true});
  CHECK(without_rest.batches() == 2);
  CHECK(without_rest.samples() == 4);
}

TEST_CASE("ImageLoader: skip passes over pictures that nobody decodes") {
  TemporaryFolder folder;
  auto files = write_pictures(folder, 18);
  for (const int64_t workers : {0, 1, 3}) {
    ImageDataset dataset(files, targets_of(18));
    ImageLoader loader(dataset, augmented(workers));
    check_skip(loader, "image");
  }
  for (size_t i = 0; i < 12; ++i) write_bytes(files[i], std::vector<uint8_t>(9, 7));
  ImageLoader loader(ImageDataset(files, targets_of(18)), {.batch_size = 4, .workers = 0});
  loader.start_epoch(0);
  loader.skip(3);
  Batch batch;
  REQUIRE(loader.next(batch));
  CHECK(batch.targets["breed"].equal(torch::arange(12, 16)));
  CHECK(loader.dataset().findings().empty());
}

TEST_CASE("ImageLoader: the number of workers, the cache and the way back change nothing") {
  TemporaryFolder folder;
  const auto files = write_pictures(folder, 23);
  const auto targets = targets_of(23);
  ImageLoader alone(ImageDataset(files, targets, {.cache_bytes = 0}), augmented(0));
  const Epoch first = run(alone, 0), second = run(alone, 1);
  CHECK(first.pictures.size() == 6);
  CHECK_FALSE(same(first, second));
  for (const int64_t workers : {1, 2, 5}) {
    CAPTURE(workers);
    ImageLoader loader(ImageDataset(files, targets), augmented(workers));
    CHECK(same(run(loader, 0), first));
    CHECK(same(run(loader, 1), second));
    Batch batch;
    loader.start_epoch(5);  // left in the middle
    loader.next(batch);
    CHECK(same(run(loader, 0), first));
  }
}

TEST_CASE("ImageLoader: every usable picture comes once an epoch, also when it moves") {
  TemporaryFolder folder;
  ImageLoader made(ImageDataset(write_pictures(folder, 10), targets_of(10)), augmented(2));
  ImageLoader loader = std::move(made);
  const Tensor breeds = std::get<0>(torch::sort(torch::cat(run(loader, 4).breeds)));
  CHECK(torch::equal(breeds, torch::arange(10)));
}

TEST_CASE("ImageLoader: a set with damaged files runs to its end and lists them") {
  TemporaryFolder folder;
  auto files = write_pictures(folder, 12);
  const auto jpeg = picture_bytes("rgb.jpg");
  const std::vector<uint8_t> half(jpeg.begin(),
                                  jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2));
  const std::map<size_t, std::pair<Flaw, std::filesystem::path>> bad = {
      {0, {Flaw::missing, folder / "nowhere.jpg"}},
      {2, {Flaw::empty, write_bytes(folder / "zero.jpg", {})}},
      {3, {Flaw::truncated, write_bytes(folder / "half.jpg", half)}},
      {5, {Flaw::unsupported, write_bytes(folder / "gif.jpg", picture_bytes("picture.gif"))}},
      {6, {Flaw::unsupported, write_bytes(folder / "bmp.jpg", picture_bytes("picture.bmp"))}},
      {9, {Flaw::unknown, write_bytes(folder / "text.jpg", {'t', 'e', 'x', 't'})}}};
  for (const auto& [row, what] : bad) files[row] = what.second;
  files[1] = write_bytes(folder / "png.jpg", picture_bytes("rgb.png"));
  files[4] = write_bytes(folder / "grey.jpg", picture_bytes("grey.jpg"));

  for (const int64_t workers : {0, 2}) {
    ImageDataset dataset(files, targets_of(12));
    ImageLoader loader(dataset, {.batch_size = 3, .workers = workers});
    for (const int64_t epoch : {0, 1}) {
      const Epoch seen = run(loader, epoch);
      CHECK(torch::equal(torch::cat(seen.breeds),
                         torch::tensor({1, 4, 7, 8, 10, 11}, torch::kInt64)));
      CHECK(seen.pictures[0].size(0) == 1);
      CHECK(seen.pictures[0].is_contiguous(torch::MemoryFormat::ChannelsLast));
    }
    const auto findings = dataset.findings();
    REQUIRE(findings.size() == 8);  // once each, however often they were met
    for (const auto& finding : findings) {
      CAPTURE(finding.text);
      CHECK(finding.file == files[static_cast<size_t>(finding.row)]);
      CHECK(contains(finding.text, finding.file.string()));
      const auto found = bad.find(static_cast<size_t>(finding.row));
      CHECK(finding.usable == (found == bad.end()));
      if (found != bad.end()) CHECK(finding.flaw == found->second.first);
    }
    CHECK(findings[1].flaw == Flaw::mislabelled);
    CHECK(findings[4].flaw == Flaw::converted);
    const std::string text = mtl::summary(findings, dataset.size());
    CHECK(contains(text, "6 of 12 pictures cannot be used, 2 remarks on others"));
    CHECK(contains(text, "half.jpg"));

    CHECK(torch::equal(dataset.usable(2), torch::tensor({1, 4, 7, 8, 10, 11}, torch::kInt64)));
    CHECK(dataset.rows(dataset.usable()).findings().size() == 2);
  }
  CHECK(mtl::summary({}, 3).empty());
}

TEST_CASE("ImageLoader: an epoch without a single picture is an error") {
  ImageLoader loader(ImageDataset({"/nowhere/a.jpg", "/nowhere/b.jpg"}),
                     {.batch_size = 1, .workers = 2});
  Batch batch;
  CHECK(contains(error_text([&] { loader.next(batch); }), "none of the 2 pictures"));
}

TEST_CASE("ImageLoader: what goes wrong in a worker reaches the caller") {
  TemporaryFolder folder;
  const auto files = write_pictures(folder, 6);
  for (const int64_t workers : {0, 3}) {
    CAPTURE(workers);
    Batch batch;
    ImageLoader too_large(ImageDataset(files),
                          {.transform = CenterCrop{100, 100}, .workers = workers});
    const auto text = error_text([&] { too_large.next(batch); });
    CHECK(contains(text, files[0].string() + ": CenterCrop: cannot cut 100 x 100 pixels out of"));
    CHECK(contains(text, "a picture of 20 x 14"));

    const Transform fails = [](const Image&, Random&) -> Image { throw std::bad_alloc(); };
    ImageLoader out_of_memory(ImageDataset(files), {.transform = fails, .workers = workers});
    CHECK_THROWS_AS(out_of_memory.next(batch), std::bad_alloc);

    const Transform any_size = [](const Image& image, Random& random) {
      return resize(image, random.integer(2, 2000), 5);
    };
    ImageLoader uneven(ImageDataset(files), {.transform = any_size, .workers = workers});
    CHECK(contains(error_text([&] { uneven.next(batch); }),
                   "End the transform with a Resize or a crop"));
  }
}

TEST_CASE("ImageDataset: the cache stays within its budget, and what it holds is not read again") {
  TemporaryFolder folder;
  const auto files = write_pictures(folder, 6);
  const int64_t one = 20 * 14 * 3;
  for (const int64_t budget : {int64_t{0}, one - 1, 2 * one + 5, 100 * one}) {
    CAPTURE(budget);
    ImageDataset dataset(files, mtl::NamedTensors(), {.cache_bytes = budget});
    CHECK(dataset.usable(3).numel() == 6);
    CHECK(dataset.cached_bytes() == std::min(budget / one, int64_t{6}) * one);
  }
  ImageDataset cached(files), uncached(files, mtl::NamedTensors(), {.cache_bytes = 0});
  const auto before = cached.image(0);
  uncached.image(0);
  std::filesystem::remove(files[0]);
  CHECK(cached.image(0) == before);
  CHECK(contains(error_text([&] { uncached.image(0); }), "No such file"));
}

TEST_CASE("ImageDataset: parts share the cache; prepared pictures are cached as they are then") {
  TemporaryFolder folder;
  ImageDataset dataset(write_pictures(folder, 6), targets_of(6), {.prepare = Resize{10, 7}});
  const ImageDataset part = dataset.rows(torch::tensor({4, 1}, torch::kInt64));
  CHECK(part.size() == 2);
  CHECK(part.file(0) == dataset.file(4));
  CHECK(torch::equal(part.targets()["breed"], torch::tensor({4, 1}, torch::kInt64)));
  CHECK(part.image(1) == dataset.image(1));
  CHECK(part.image(1)->width == 10);
  CHECK(dataset.cached_bytes() == 10 * 7 * 3);

  CHECK(contains(error_text([&] { dataset.rows(torch::tensor({6}, torch::kInt64)); }),
                 "no row 6 of 6"));
  CHECK(contains(error_text([&] { dataset.image(6); }), "no row 6 of 6"));
  CHECK(contains(error_text([&] { dataset.file(-1); }), "no row -1 of 6"));
  CHECK(contains(error_text([] { ImageDataset({}); }), "no picture files"));
  CHECK(contains(error_text([] { ImageDataset({"a.jpg"}, targets_of(2)); }),
                 "\"breed\" is [2], but there are 1 files"));
  CHECK(contains(error_text([&] { ImageLoader(dataset, {.batch_size = 7, .drop_last = true}); }),
                 "no full batch of 7"));
  CHECK(contains(error_text([&] { ImageLoader(dataset, {.batch_size = 0}); }), "batch_size is 0"));
  CHECK(contains(error_text([&] { ImageLoader(dataset, {.workers = -1}); }), "workers is -1"));
  CHECK(contains(error_text([&] {
                   ImageLoader(dataset, {.normalize = {{std::nan(""), 0, 0}}});
                 }),
                 "normalize has mean nan"));
  ImageDataset prepared({dataset.file(0)}, mtl::NamedTensors(), {.prepare = CenterCrop{99, 99}});
  CHECK(
      contains(error_text([&] { prepared.image(0); }), dataset.file(0).string() + ": CenterCrop"));
}

#endif
