#ifdef MTL_HAS_IMAGES

#include <cmath>
#include <map>
#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/images/resize.hpp"
#include "mtl/data/images/transforms.hpp"
#include "picture_files.hpp"

using namespace mtl::images;

namespace {

// One grey value a pixel, for pictures that are checked by eye.
Image grey(int64_t width, int64_t height, const std::vector<uint8_t>& values) {
  Image image(width, height);
  for (size_t i = 0; i < values.size(); ++i)
    std::fill_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, values[i]);
  return image;
}

std::vector<int> first_channel(const Image& image) {
  std::vector<int> values;
  for (size_t i = 0; i < image.pixels.size(); i += 3) values.push_back(image.pixels[i]);
  return values;
}

}  // namespace

TEST_CASE("images: resize gives what Pillow gives, but for its rounding between the passes") {
  const Image drawn = drawn_picture();
  for (const auto& golden : picture_golden()["resized"]) {
    const int64_t width = golden["size"][0], height = golden["size"][1];
    const Box box{golden["box"][0], golden["box"][1],
                  golden["box"][2].get<int64_t>() - golden["box"][0].get<int64_t>(),
                  golden["box"][3].get<int64_t>() - golden["box"][1].get<int64_t>()};
    const Filter filter = golden["filter"] == "bicubic" ? Filter::bicubic : Filter::bilinear;
    CAPTURE(golden["filter"].get<std::string>(), width, height);
    const Image expected = picture_of_hex(golden["pixels"], width, height);
    CHECK(worst_difference(resize(drawn, box, width, height, filter), expected) <= 1);
  }
}

TEST_CASE("images: resize by hand") {
  const Image two = grey(2, 1, {0, 100});
  CHECK(first_channel(resize(two, 4, 1)) == std::vector<int>{0, 25, 75, 100});
  CHECK(first_channel(resize(two, 1, 1)) == std::vector<int>{50});
  CHECK(resize(two, 2, 1) == two);
  CHECK(resize(drawn_picture(), 20, 14, Filter::bicubic) == drawn_picture());
  const Image flat = grey(5, 4, std::vector<uint8_t>(20, 200));
  for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
    CHECK(resize(flat, 3, 11, filter) == grey(3, 11, std::vector<uint8_t>(33, 200)));
  }
  // Bicubic overshoots at an edge and is cut off at black and white.
  const Image edge = grey(4, 1, {0, 0, 255, 255});
  CHECK(worst_difference(resize(edge, 40, 1, Filter::bicubic), resize(edge, 40, 1)) < 60);
  CHECK(contains(error_text([&] { resize(two, 0, 4); }), "0 x 4"));
  CHECK(contains(error_text([&] {
                   resize(two, {1, 0, 2, 1}, 4, 4);
                 }),
                 "does not lie in a picture of 2 x 1"));
}

TEST_CASE("images: crops, flip and shift move known pixels") {
  Random random(1, 2, 3);
  const Image image = grey(4, 3, {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23});
  CHECK(first_channel(crop(image, {1, 1, 2, 2})) == std::vector<int>{11, 12, 21, 22});
  CHECK(first_channel(CenterCrop{2, 1}(image, random)) == std::vector<int>{11, 12});
  CHECK(first_channel(Flip{1.0}(image, random)) ==
        std::vector<int>{3, 2, 1, 0, 13, 12, 11, 10, 23, 22, 21, 20});
  CHECK(Flip{0.0}(image, random) == image);
  CHECK(first_channel(Flip{1.0}(grey(3, 1, {1, 2, 3}), random)) == std::vector<int>{3, 2, 1});
  CHECK(contains(error_text([&] {
                   CenterCrop{5, 1}(image, random);
                 }),
                 "5 x 1 pixels out of a picture of 4 x 3"));
  CHECK(contains(error_text([&] { RandomCrop{1, 4}(image, random); }), "RandomCrop"));

  // Every shift is one of the 3 x 3 possible ones, all of them occur, and the border is repeated.
  std::map<std::vector<int>, int> seen;
  for (int64_t sample = 0; sample < 300; ++sample) {
    Random own(1, sample, 0);
    ++seen[first_channel(Shift{0.34}(image, own))];
  }
  CHECK(seen.size() == 9);
  CHECK(seen.contains({0, 0, 1, 2, 0, 0, 1, 2, 10, 10, 11, 12}));          // right and down
  CHECK(seen.contains({11, 12, 13, 13, 21, 22, 23, 23, 21, 22, 23, 23}));  // left and up
  CHECK(seen.contains(first_channel(image)));
}

TEST_CASE("images: random crops come from everywhere") {
  const Image drawn = drawn_picture();
  std::set<std::vector<uint8_t>> seen;
  for (int64_t sample = 0; sample < 400; ++sample) {
    Random random(7, sample, 0);
    const Image part = RandomCrop{18, 13}(drawn, random);
    CHECK(part.width == 18);
    CHECK(part.height == 13);
    seen.insert(part.pixels);
  }
  CHECK(seen.size() == 6);  // 3 x 2 places
  for (int64_t sample = 0; sample < 50; ++sample) {
    Random random(7, sample, 0);
    const Image part = RandomResizedCrop{8, 6, 0.2}(drawn, random);
    CHECK(part.width == 8);
    CHECK(part.height == 6);
  }
  Random random(1, 1, 1);
  CHECK(contains(error_text([&] {
                   RandomResizedCrop{8, 6, 0.0}(drawn, random);
                 }),
                 "min_area is 0"));
}

TEST_CASE("images: ResizeShorter keeps the proportions") {
  Random random(1, 2, 3);
  const Image landscape = ResizeShorter{7}(drawn_picture(), random);  // 20 x 14
  CHECK(landscape.width == 10);
  CHECK(landscape.height == 7);
  const Image portrait = ResizeShorter{28}(Image(10, 30), random);
  CHECK(portrait.width == 28);
  CHECK(portrait.height == 84);
}

TEST_CASE("images: colour jitter by hand") {
  const auto jittered = [](const ColorJitter& jitter, int64_t sample) {
    Image image(2, 1);
    image.pixels = {100, 100, 100, 200, 100, 0};
    Random random(1, sample, 0);
    return jitter(image, random).pixels;
  };
  CHECK(jittered({}, 0) == std::vector<uint8_t>{100, 100, 100, 200, 100, 0});
  double lowest = 10, highest = 0;
  for (int64_t sample = 0; sample < 200; ++sample) {
    const auto bright = jittered({.brightness = 0.2}, sample);  // one factor for all values
    const double factor = bright[0] / 100.0;
    CHECK(bright[3] == Approx(200 * factor).margin(1.6));
    CHECK(bright[5] == 0);
    lowest = std::min(lowest, factor);
    highest = std::max(highest, factor);

    const auto vivid = jittered({.saturation = 0.5}, sample);  // grey stays grey
    CHECK(std::vector<uint8_t>(vivid.begin(), vivid.begin() + 3) ==
          std::vector<uint8_t>{100, 100, 100});

    const auto apart =
        jittered({.contrast = 0.5}, sample);  // about the mean grey: (100 + 118.5) / 2
    CHECK((apart[3] - 109.25) / (200 - 109.25) ==
          Approx((apart[1] - 109.25) / (100 - 109.25)).margin(0.1));
  }
  CHECK(lowest == Approx(0.8).margin(0.02));
  CHECK(highest == Approx(1.2).margin(0.02));
}

TEST_CASE("images: Normalize gives (x/255 - mean) / deviation by channel") {
  const Image drawn = drawn_picture();
  const Normalize normalize{{0.1, 0.5, 0.498}, {0.25, 1, 0.502}};
  std::vector<float> values(drawn.pixels.size());
  normalize(drawn, values.data());
  double worst = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double expected =
        (drawn.pixels[i] / 255.0 - normalize.mean[i % 3]) / normalize.deviation[i % 3];
    worst = std::max(worst, std::abs(values[i] - expected));
  }
  CHECK(worst < 1e-6);
}

TEST_CASE("images: random numbers depend on seed, sample and epoch, and on nothing else") {
  const auto draw = [](uint64_t seed, int64_t sample, int64_t epoch) {
    Random random(seed, sample, epoch);
    return std::pair(random.uniform(0, 1), random.integer(0, 1'000'000));
  };
  CHECK(draw(1, 2, 3) == draw(1, 2, 3));
  std::set<std::pair<double, int64_t>> seen;
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      for (int k = 0; k < 6; ++k) seen.insert(draw(static_cast<uint64_t>(i), j, k));
    }
  }
  CHECK(seen.size() == 216);

  double sum = 0;
  std::vector<int> count(5, 0);
  Random random(1, 1, 1);
  for (int i = 0; i < 5000; ++i) {
    sum += random.uniform(-1, 1);
    ++count[static_cast<size_t>(random.integer(0, 4))];
  }
  CHECK(std::abs(sum / 5000) < 0.03);
  for (const int n : count) CHECK(std::abs(n - 1000) < 120);
}

TEST_CASE("images: sizes and options beyond sense are an error") {
  Random random(1, 1, 1);
  const Image line(1, 20'000'000);
  CHECK(contains(error_text([&] { ResizeShorter{1024}(line, random); }),
                 "cannot make a picture of 1024 x 20480000000 pixels out of one of 1 x 20000000"));
  const Image drawn = drawn_picture();
  CHECK(contains(error_text([&] { resize(drawn, {1, 0, INT64_MAX, 2}, 2, 2); }), "does not lie"));
  const double nan = std::nan("");
  CHECK(contains(error_text([&] { Flip{nan}(drawn, random); }), "Flip: probability is nan"));
  CHECK(contains(error_text([&] { Shift{1e300}(drawn, random); }), "Shift: fraction is 1e+300"));
  CHECK(contains(error_text([&] { ColorJitter{0, -1, 0}(drawn, random); }), "are 0, -1 and 0"));
  CHECK(contains(error_text([&] { RandomResizedCrop{9, 9, nan}(drawn, random); }), "is nan"));
}

TEST_CASE("images: Compose goes through the steps in order with one stream of numbers") {
  const Image drawn = drawn_picture();
  const Compose both{{RandomCrop{10, 10}, Shift{0.3}}};
  Random one(5, 6, 7), other(5, 6, 7);
  const Image by_hand = Shift{0.3}(RandomCrop{10, 10}(drawn, other), other);
  CHECK(both(drawn, one) == by_hand);
}

#endif
