#include "mtl/data/images/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl::images {
namespace {

/// Which source pixels make one output pixel: `count` of them from `first`, weights summing to one.
struct Tap {
  int64_t first, count;
  const float* weights;
};

class Kernel {
 public:
  Kernel(int64_t from, int64_t to, Filter filter) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double stretch = std::max(scale, 1.0);  // widened when shrinking
    const double reach = (filter == Filter::bilinear ? 1.0 : 2.0) * stretch;
    const auto most = static_cast<size_t>(std::ceil(2 * reach)) + 2;
    weights_.resize(most * static_cast<size_t>(to));
    taps_.reserve(static_cast<size_t>(to));
    for (int64_t i = 0; i < to; ++i) {
      const double centre = (static_cast<double>(i) + 0.5) * scale;
      const int64_t first = std::max<int64_t>(0, std::llround(std::floor(centre - reach + 0.5)));
      const int64_t last = std::min<int64_t>(from, std::llround(std::floor(centre + reach + 0.5)));
      float* weights = weights_.data() + most * static_cast<size_t>(i);
      double sum = 0;
      const auto weight = [&](int64_t j) {
        return value((static_cast<double>(j) + 0.5 - centre) / stretch, filter);
      };
      for (int64_t j = first; j < last; ++j) sum += weight(j);
      for (int64_t j = first; j < last; ++j)
        weights[j - first] = static_cast<float>(weight(j) / sum);
      taps_.push_back({first, last - first, weights});
    }
  }

  const Tap& operator[](int64_t i) const { return taps_[static_cast<size_t>(i)]; }

 private:
  static double value(double x, Filter filter) {
    x = std::abs(x);
    if (filter == Filter::bilinear) return std::max(0.0, 1 - x);
    constexpr double a = -0.5;
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return ((x - 5) * x + 8) * x * a - 4 * a;
    return 0;
  }

  std::vector<float> weights_;
  std::vector<Tap> taps_;
};

// One row of the result before the horizontal pass: sums over whole rows, which vectorises.
void blend_rows(const Image& image, const Box& box, const Tap& tap, float* __restrict sums) {
  const int64_t values = 3 * box.width;
  for (int64_t k = 0; k < tap.count; ++k) {
    const uint8_t* __restrict row = image.row(box.top + tap.first + k) + 3 * box.left;
    const float weight = tap.weights[k];
    if (k == 0) {
      for (int64_t i = 0; i < values; ++i) sums[i] = weight * static_cast<float>(row[i]);
    } else {
      for (int64_t i = 0; i < values; ++i) sums[i] += weight * static_cast<float>(row[i]);
    }
  }
}

using Float4 = float __attribute__((vector_size(16)));

// The three channels of a pixel, and one value of its neighbour, are summed together in one vector.
void blend_columns(const float* sums, const Kernel& kernel, int64_t width, float* out) {
  for (int64_t x = 0; x < width; ++x) {
    const Tap& tap = kernel[x];
    const float* source = sums + 3 * tap.first;
    Float4 pixel = {};
    for (int64_t k = 0; k < tap.count; ++k) {
      Float4 value;
      std::memcpy(&value, source + 3 * k, sizeof value);
      pixel += tap.weights[k] * value;
    }
    std::memcpy(out + 3 * x, &pixel, sizeof pixel);  // the next pixel mends the value too many
  }
}

void round_row(const float* __restrict values, int64_t count, uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = values[i] + 0.5F;
    out[i] = static_cast<uint8_t>(value < 0.0F ? 0.0F : value > 255.0F ? 255.0F : value);
  }
}

void check(const Image& image, const Box& box) {
  if (box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 &&
      box.left <= image.width - box.width && box.top <= image.height - box.height) {
    return;
  }
  throw Error("a box of {} x {} pixels at ({}, {}) does not lie in a picture of {} x {}", box.width,
              box.height, box.left, box.top, image.width, image.height);
}

}  // namespace

Image resize(const Image& image, const Box& box, int64_t width, int64_t height, Filter filter) {
  check(image, box);
  // A very long and narrow picture may ask for more than any memory has.
  constexpr int64_t most_pixels = 1'000'000'000;
  if (width <= 0 || height <= 0 || width > most_pixels / height)
    throw Error("resize: cannot make a picture of {} x {} pixels out of one of {} x {}", width,
                height, box.width, box.height);
  const Kernel across(box.width, width, filter), down(box.height, height, filter);
  Image result(width, height);
  // One value more than needed: vectors of four are read and written.
  std::vector<float> sums(static_cast<size_t>(3 * box.width) + 1),
      row(static_cast<size_t>(3 * width) + 1);
  for (int64_t y = 0; y < height; ++y) {
    blend_rows(image, box, down[y], sums.data());
    blend_columns(sums.data(), across, width, row.data());
    round_row(row.data(), 3 * width, result.row(y));
  }
  return result;
}

Image resize(const Image& image, int64_t width, int64_t height, Filter filter) {
  return resize(image, {0, 0, image.width, image.height}, width, height, filter);
}

Image crop(const Image& image, const Box& box) {
  check(image, box);
  Image result(box.width, box.height);
  for (int64_t y = 0; y < box.height; ++y) {
    std::memcpy(result.row(y), image.row(box.top + y) + 3 * box.left,
                static_cast<size_t>(3 * box.width));
  }
  return result;
}

}  // namespace mtl::images
