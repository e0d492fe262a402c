#include "mtl/data/images/transforms.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"

namespace mtl::images {
namespace {

// ITU-R 601 in 16 bits.
int grey_of(const uint8_t* pixel) {
  return (19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16;
}

uint8_t to_byte(float value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

void check_fits(const Image& image, int64_t width, int64_t height, const char* who) {
  if (image.width >= width && image.height >= height && width > 0 && height > 0) return;
  throw Error("{}: cannot cut {} x {} pixels out of a picture of {} x {}. Resize it first", who,
              width, height, image.width, image.height);
}

void check_share(const char* what, double share) {
  if (!(share >= 0 && share <= 1)) throw Error("{} is {}, expected 0 to 1", what, share);
}

}  // namespace

Random::Random(uint64_t seed, int64_t sample, int64_t epoch)
    : key_(mix_seed(mix_seed(seed, static_cast<uint64_t>(sample)), static_cast<uint64_t>(epoch))) {}

// Counted rather than chained: nothing to warm up for the handful of numbers a picture needs.
uint64_t Random::next() { return mix_seed(key_, drawn_++); }

double Random::uniform(double low, double high) {
  return low + (high - low) * static_cast<double>(next() >> 11U) * 0x1p-53;
}

int64_t Random::integer(int64_t low, int64_t high) {
  const auto above = static_cast<int64_t>(uniform(0, static_cast<double>(high - low) + 1));
  return low + std::min(above, high - low);
}

Image Compose::operator()(Image image, Random& random) const {
  for (const Transform& step : steps) image = step(std::move(image), random);
  return image;
}

Image Resize::operator()(const Image& image, Random& /*random*/) const {
  return resize(image, width, height, filter);
}

Image ResizeShorter::operator()(Image image, Random& /*random*/) const {
  const int64_t shorter = std::min(image.width, image.height);
  if (shorter == side) return image;
  const auto scaled = [&](int64_t length) {
    return std::max<int64_t>(side, (length * side + shorter / 2) / std::max<int64_t>(shorter, 1));
  };
  return resize(image, scaled(image.width), scaled(image.height), filter);
}

Image CenterCrop::operator()(Image image, Random& /*random*/) const {
  check_fits(image, width, height, "CenterCrop");
  if (image.width == width && image.height == height) return image;
  return crop(image, {(image.width - width) / 2, (image.height - height) / 2, width, height});
}

Image RandomCrop::operator()(Image image, Random& random) const {
  check_fits(image, width, height, "RandomCrop");
  const int64_t left = random.integer(0, image.width - width);
  const int64_t top = random.integer(0, image.height - height);
  return crop(image, {left, top, width, height});
}

Image RandomResizedCrop::operator()(const Image& image, Random& random) const {
  if (!(min_area > 0 && min_area <= 1 && min_ratio > 0 && min_ratio <= 1)) {
    throw Error("RandomResizedCrop: min_area is {} and min_ratio {}, expected both in (0, 1]",
                min_area, min_ratio);
  }
  const double area = random.uniform(min_area, 1) * static_cast<double>(image.width * image.height);
  const double ratio = std::exp(random.uniform(std::log(min_ratio), -std::log(min_ratio)));
  const auto side = [](double wanted, int64_t most) {
    return std::clamp<int64_t>(std::llround(wanted), 1, most);
  };
  Box box;
  box.width = side(std::sqrt(area * ratio), image.width);
  box.height = side(std::sqrt(area / ratio), image.height);
  box.left = random.integer(0, image.width - box.width);
  box.top = random.integer(0, image.height - box.height);
  return resize(image, box, width, height, filter);
}

Image Flip::operator()(Image image, Random& random) const {
  check_share("Flip: probability", probability);
  if (random.uniform(0, 1) >= probability) return image;
  for (int64_t y = 0; y < image.height; ++y) {
    uint8_t* left = image.row(y);
    uint8_t* right = left + 3 * (image.width - 1);
    for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
  }
  return image;
}

Image Shift::operator()(Image image, Random& random) const {
  check_share("Shift: fraction", fraction);
  const auto reach = [&](int64_t length) {
    const auto pixels = static_cast<int64_t>(fraction * static_cast<double>(length));
    return std::clamp<int64_t>(pixels, 0, length - 1);
  };
  const int64_t across = random.integer(-reach(image.width), reach(image.width));
  const int64_t down = random.integer(-reach(image.height), reach(image.height));
  if (across == 0 && down == 0) return image;
  const int64_t last = image.width - 1;
  Image moved(image.width, image.height);
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* from = image.row(std::clamp<int64_t>(y - down, 0, image.height - 1));
    uint8_t* to = moved.row(y);
    const int64_t begin = std::clamp<int64_t>(across, 0, last),
                  end = std::clamp<int64_t>(last + 1 + across, 1, last + 1);
    for (int64_t x = 0; x < begin; ++x) std::memcpy(to + 3 * x, from, 3);
    std::memcpy(to + 3 * begin, from + 3 * (begin - across),
                static_cast<size_t>(3 * (end - begin)));
    for (int64_t x = end; x <= last; ++x) std::memcpy(to + 3 * x, from + 3 * last, 3);
  }
  return moved;
}

Image ColorJitter::operator()(Image image, Random& random) const {
  const auto factor = [&](double width) {
    if (!(width >= 0 && std::isfinite(width)))
      throw Error(
          "ColorJitter: brightness, contrast and saturation are {}, {} and {}, expected at least 0",
          brightness, contrast, saturation);
    return static_cast<float>(random.uniform(std::max(0.0, 1 - width), 1 + width));
  };
  const float bright = factor(brightness), apart = factor(contrast), vivid = factor(saturation);
  const size_t pixels = image.pixels.size() / 3;

  // The mean grey as it is after the change of brightness, but for what that change cuts off.
  int64_t total = 0;
  for (size_t p = 0; p < pixels; ++p) total += grey_of(image.pixels.data() + 3 * p);
  const float mean =
      bright * static_cast<float>(total) / static_cast<float>(std::max<size_t>(pixels, 1));

  for (size_t p = 0; p < pixels; ++p) {
    uint8_t* const pixel = image.pixels.data() + 3 * p;
    const auto shifted = [&](float value) { return apart * (bright * value - mean) + mean; };
    const float grey = shifted(static_cast<float>(grey_of(pixel)));
    for (int c = 0; c < 3; ++c)
      pixel[c] = to_byte(vivid * (shifted(static_cast<float>(pixel[c])) - grey) + grey);
  }
  return image;
}

void Normalize::operator()(const Image& image, float* out) const {
  // Sixteen pixels a round, so that the channels' factors line up with the vectors.
  constexpr size_t round = 48;
  std::array<float, round> factors{}, offsets{};
  for (size_t i = 0; i < round; ++i) {
    factors[i] = static_cast<float>(1 / (255 * deviation[i % 3]));
    offsets[i] = static_cast<float>(-mean[i % 3] / deviation[i % 3]);
  }
  const uint8_t* const in = image.pixels.data();
  const size_t values = image.pixels.size(), whole = values / round * round;
  for (size_t i = 0; i < whole; i += round) {
    for (size_t k = 0; k < round; ++k)
      out[i + k] = static_cast<float>(in[i + k]) * factors[k] + offsets[k];
  }
  for (size_t i = whole; i < values; ++i) {
    out[i] = static_cast<float>(in[i]) * factors[i - whole] + offsets[i - whole];
  }
}

}  // namespace mtl::images
