#include "drawn.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "mtl/core/error.hpp"

namespace pets {
namespace {

using std::numbers::pi;
using Color = std::array<double, 3>;

/// std's distributions differ between standard libraries; these draws do not.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1.0p-53;
  }
  int64_t below(int64_t count) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(count));
  }
  /// A place in `scores`, each with a chance in proportion.
  size_t choose(std::span<const double> scores) {
    double sum = 0;
    for (const double score : scores) sum += score;
    double left = uniform(0, sum);
    for (size_t i = 0; i < scores.size(); ++i) {
      left -= scores[i];
      if (left < 0) return i;
    }
    return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  }

 private:
  std::mt19937_64 engine_;
};

enum Ear : size_t { erect, semi_erect, cropped, drop };
enum Hair : size_t { curly, hairless, short_hair, fluffy };

constexpr std::array<Color, 6> coats = {Color{.85, .65, .35}, Color{.45, .30, .20},
                                        Color{.92, .90, .86}, Color{.45, .48, .55},
                                        Color{.18, .17, .19}, Color{.72, .42, .22}};
constexpr std::array<Color, 3> eye_colors = {Color{.95, .75, .2}, Color{.3, .6, .9},
                                             Color{.3, .2, .1}};

struct Face {
  size_t ear, hair, figure;
  Color coat, patch, eyes, background;
  int64_t marking;  // none, stripes, mask, blaze
  double x, y, scale, tilt, light, phase;
};

/// 1 inside, 0 outside, soft over about a pixel; `distance` in units of half the picture.
double cover(double distance, double softness) {
  return std::clamp(0.5 - distance / softness, 0.0, 1.0);
}

double ellipse(double x, double y, double rx, double ry) {
  return (std::hypot(x / rx, y / ry) - 1) * std::min(rx, ry);
}

double triangle(double x, double y, const std::array<std::array<double, 2>, 3>& corners) {
  const double turn = (corners[1][0] - corners[0][0]) * (corners[2][1] - corners[0][1]) -
                      (corners[1][1] - corners[0][1]) * (corners[2][0] - corners[0][0]);
  double outside = -1e9;
  for (size_t i = 0; i < 3; ++i) {
    const auto& a = corners[i];
    const auto& b = corners[(i + 1) % 3];
    const double length = std::hypot(b[0] - a[0], b[1] - a[1]);
    outside =
        std::max(outside, std::copysign(1, turn) *
                              ((x - a[0]) * (b[1] - a[1]) - (y - a[1]) * (b[0] - a[0])) / length);
  }
  return outside;
}

/// The right ear; the left one is its mirror image. y grows downwards, the head has radius ~0.5.
double ear_shape(Ear ear, double x, double y, double width) {
  switch (ear) {
    case erect:
      return triangle(x, y, {{{0.12, -0.35}, {0.48 * width, -0.2}, {0.45 * width, -0.86}}});
    case semi_erect:
      return std::min(
          triangle(x, y, {{{0.12, -0.35}, {0.48 * width, -0.2}, {0.42 * width, -0.62}}}),
          triangle(x, y, {{{0.24 * width, -0.58}, {0.66 * width, -0.36}, {0.50 * width, -0.66}}}));
    case cropped:
      return triangle(x, y,
                      {{{0.26 * width, -0.36}, {0.42 * width, -0.28}, {0.36 * width, -0.82}}});
    case drop:
      break;
  }
  return ellipse(x - 0.56 * width, y - 0.08, 0.15, 0.42);
}

double head_shape(Hair hair, double x, double y, double width, double phase) {
  const double angle = std::atan2(y, x);
  double radius = 1;
  if (hair == curly) radius += 0.07 * std::abs(std::sin(6 * angle + phase));
  if (hair == fluffy)
    radius += 0.18 * (0.5 + 0.5 * std::asin(std::sin(14 * angle + phase)) / (pi / 2));
  return ellipse(x / radius, y / radius, 0.5 * width, 0.5);
}

void blend(Color& pixel, const Color& color, double amount) {
  for (size_t c = 0; c < 3; ++c) pixel[c] += amount * (color[c] - pixel[c]);
}

Color times(Color color, double factor) {
  for (double& value : color) value *= factor;
  return color;
}

/// Fur or skin at a place inside head or ear.
Color surface(const Face& face, double x, double y) {
  double shade = 1;
  if (face.hair == curly) shade += 0.22 * std::sin(22 * x + face.phase) * std::sin(22 * y);
  if (face.hair == fluffy) shade += 0.16 * std::sin(34 * x + 9 * y + face.phase);
  Color color = times(face.coat, shade);
  if (face.hair == hairless) {
    blend(color, {.93, .72, .66}, 0.75);
    color = times(color, 1 - 0.12 * std::pow(std::sin(16 * y + 3 * x * x), 8));
  }
  double patch = 0;
  if (face.marking == 1) patch = std::pow(0.5 + 0.5 * std::sin(15 * x + 2 * std::cos(4 * y)), 3);
  if (face.marking == 2) patch = cover(ellipse(x, y - 0.2, 0.3, 0.3), 0.15);
  if (face.marking == 3) patch = cover(std::abs(x) - 0.1, 0.1);
  blend(color, face.patch, (face.hair == hairless ? 0.3 : 0.8) * patch);
  return color;
}

Color pixel_of(const Face& face, double px, double py, double softness) {
  const double cosine = std::cos(face.tilt), sine = std::sin(face.tilt);
  const double u = (px - face.x) / face.scale, v = (py - face.y) / face.scale;
  const double x = cosine * u + sine * v, y = -sine * u + cosine * v;
  constexpr std::array<double, 3> widths = {1.25, 1.0, 0.78};  // stout, normal, slim
  const double width = widths[face.figure];
  const double soft = softness / face.scale;

  Color color = face.background;
  const double ear = cover(ear_shape(static_cast<Ear>(face.ear), std::abs(x), y, width), soft);
  const double head =
      cover(head_shape(static_cast<Hair>(face.hair), x, y, width, face.phase), soft);
  const Color fur = surface(face, x, y);
  if (face.ear == drop) {  // hangs in front of the head
    blend(color, fur, head);
    blend(color, times(fur, 0.7), ear);
  } else {
    blend(color, times(fur, 0.8), ear);
    blend(color, fur, head);
  }
  blend(color, face.eyes, cover(ellipse(std::abs(x) - 0.19 * width, y + 0.06, 0.09, 0.07), soft));
  blend(color, {.05, .05, .05},
        cover(ellipse(std::abs(x) - 0.19 * width, y + 0.06, 0.04, 0.06), soft));
  blend(color, {.15, .08, .08}, cover(ellipse(x, y - 0.2, 0.09, 0.06), soft));
  return times(color, face.light);
}

Face choose_face(const std::vector<double>& scores, int64_t breed, Dice& dice) {
  Face face{};
  const std::span<const double> all(scores);
  face.ear = dice.choose(all.subspan(0, 4));
  face.hair = dice.choose(all.subspan(4, 4));
  face.figure = dice.choose(all.subspan(8, 3));
  // Coat and marking belong to the breed, but one animal in ten has another coat.
  const auto odd = dice.uniform(0, 1) < 0.1;
  const int64_t coat = odd ? dice.below(6) : breed % 6;
  face.coat = coats[static_cast<size_t>(coat)];
  face.patch = coats[static_cast<size_t>((coat + 2) % 6)];
  face.marking = breed / 6 % 4;
  face.eyes = eye_colors[static_cast<size_t>(breed % 3)];
  for (double& value : face.coat) value = std::clamp(value + dice.uniform(-.06, .06), 0.0, 1.0);
  const double grey = dice.uniform(0.3, 0.7);
  for (double& value : face.background) value = grey + dice.uniform(-.08, .08);
  face.x = dice.uniform(-.08, .08);
  face.y = dice.uniform(.04, .2);
  face.scale = dice.uniform(.95, 1.2);
  face.tilt = dice.uniform(-.15, .15);
  face.light = dice.uniform(.85, 1.05);
  face.phase = dice.uniform(0, 2 * pi);
  return face;
}

void draw(const Face& face, int64_t size, Dice& dice, uint8_t* out) {
  const double pixel = 2.0 / static_cast<double>(size);
  for (int64_t row = 0; row < size; ++row) {
    for (int64_t column = 0; column < size; ++column) {
      const Color color = pixel_of(face, (static_cast<double>(column) + 0.5) * pixel - 1,
                                   (static_cast<double>(row) + 0.5) * pixel - 1, 1.5 * pixel);
      const double noise = dice.uniform(-.06, .06);
      for (int64_t c = 0; c < 3; ++c)
        out[(c * size + row) * size + column] = static_cast<uint8_t>(
            std::lround(255 * std::clamp(color[static_cast<size_t>(c)] + noise, 0.0, 1.0)));
    }
  }
}

void require_scores(const std::vector<double>& scores, const std::string& breed) {
  size_t first = 0;
  for (const TraitGroup& group : trait_groups()) {
    double sum = 0;
    for (size_t t = 0; t < group.traits.size(); ++t) sum += scores[first + t];
    if (!(sum > 0))
      throw mtl::Error(
          "breed \"{}\": to draw it, every {} score must be known and one of them above 0.", breed,
          group.name);
    first += group.traits.size();
  }
}

}  // namespace

DrawnPets draw_pets(const TraitTable& traits, std::span<const std::string> breeds, int64_t each,
                    int64_t size, uint64_t seed) {
  if (each < 1 || size < 8 || breeds.empty())
    throw mtl::Error(
        "drawn pets: need a breed, a picture of each and 8 pixels, found {}, {} and {}.",
        breeds.size(), each, size);
  const auto count = static_cast<int64_t>(breeds.size()) * each;
  DrawnPets pets;
  pets.pictures = torch::empty({count, 3, size, size}, torch::kByte);
  pets.breeds = torch::arange(static_cast<int64_t>(breeds.size())).repeat_interleave(each);
  for (const TraitGroup& group : trait_groups())
    pets.traits.insert(group.name,
                       torch::zeros({count, static_cast<int64_t>(group.traits.size())}));

  Dice dice(seed);
  auto* pixels = pets.pictures.data_ptr<uint8_t>();
  for (size_t breed = 0; breed < breeds.size(); ++breed) {
    const auto& scores = traits.of_breed(breeds[breed]);
    require_scores(scores, breeds[breed]);
    for (int64_t i = 0; i < each; ++i) {
      const int64_t row = static_cast<int64_t>(breed) * each + i;
      const Face face = choose_face(scores, static_cast<int64_t>(breed), dice);
      draw(face, size, dice, pixels + row * 3 * size * size);
      pets.traits["ear"][row][static_cast<int64_t>(face.ear)] = 1;
      pets.traits["hair"][row][static_cast<int64_t>(face.hair)] = 1;
      pets.traits["figure"][row][static_cast<int64_t>(face.figure)] = 1;
    }
  }
  return pets;
}

}  // namespace pets
