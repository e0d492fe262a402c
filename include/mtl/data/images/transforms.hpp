#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "mtl/data/images/image.hpp"
#include "mtl/data/images/resize.hpp"

namespace mtl::images {

/// The random numbers of one sample in one epoch. They depend on nothing else, so neither the order
/// of the samples nor the number of workers changes a picture.
class Random {
 public:
  Random(uint64_t seed, int64_t sample, int64_t epoch);
  double uniform(double low, double high);     ///< in [low, high)
  int64_t integer(int64_t low, int64_t high);  ///< in [low, high], both included

 private:
  uint64_t next();  // 64 random bits

  uint64_t key_, drawn_ = 0;
};

/// One step from a decoded picture to a training picture: any callable like those below.
using Transform = std::function<Image(Image, Random&)>;

/// Applies the steps in order, with one stream of random numbers.
struct Compose {
  std::vector<Transform> steps;
  Image operator()(Image image, Random& random) const;
};

/// To exactly this size; the proportions may change.
struct Resize {
  int64_t width = 0, height = 0;
  Filter filter = Filter::bilinear;
  Image operator()(const Image& image, Random& random) const;
};

/// The shorter side to `side` pixels, in proportion.
struct ResizeShorter {
  int64_t side = 0;
  Filter filter = Filter::bilinear;
  Image operator()(Image image, Random& random) const;
};

/// The middle. Error: the picture is smaller.
struct CenterCrop {
  int64_t width = 0, height = 0;
  Image operator()(Image image, Random& random) const;
};

/// Anywhere. Error: the picture is smaller.
struct RandomCrop {
  int64_t width = 0, height = 0;
  Image operator()(Image image, Random& random) const;
};

/// A random part of the picture, `min_area` to 1 of its area and `min_ratio` to 1/min_ratio in its
/// proportions, resized to width x height. Szegedy et al., CVPR 2015.
struct RandomResizedCrop {
  int64_t width = 0, height = 0;
  double min_area = 0.35, min_ratio = 0.75;
  Filter filter = Filter::bilinear;
  Image operator()(const Image& image, Random& random) const;
};

/// Left and right change places.
struct Flip {
  double probability = 0.5;
  Image operator()(Image image, Random& random) const;
};

/// Moves the picture by up to `fraction` of its width and height; its border pixels are repeated.
struct Shift {
  double fraction = 0.1;
  Image operator()(Image image, Random& random) const;
};

/// Factors drawn from [1 - x, 1 + x] for each of: brightness (times the values), contrast (away
/// from the picture's mean grey) and saturation (away from each pixel's grey), applied in this
/// order.
struct ColorJitter {
  double brightness = 0, contrast = 0, saturation = 0;
  Image operator()(Image image, Random& random) const;
};

/// The last step, to floats: (x/255 - mean) / deviation, by channel.
struct Normalize {
  std::array<double, 3> mean = {0, 0, 0}, deviation = {1, 1, 1};
  /// Writes [height, width, 3] floats.
  void operator()(const Image& image, float* out) const;
};

}  // namespace mtl::images
