#include "drawn.hpp"

#include <numbers>
#include <numeric>
#include <random>

namespace pets {
namespace {

using std::numbers::pi;
using Color = Eigen::Array3d;

using Dice = std::mt19937_64;

/// std's distributions differ between standard libraries; this does not.
double uniform(Dice& dice, double low, double high) {
  return low + (high - low) * static_cast<double>(dice() >> 11) * 0x1.0p-53;
}

/// A place in `scores`, each with a chance in proportion.
size_t choose(Dice& dice, std::span<const double> scores) {
  double left = uniform(dice, 0, std::accumulate(scores.begin(), scores.end(), 0.0));
  auto chosen = std::ranges::find_if(scores, [&](double score) { return (left -= score) < 0; });
  if (chosen == scores.end()) chosen = std::ranges::max_element(scores);
  return static_cast<size_t>(chosen - scores.begin());
}

// By their place in the trait groups.
enum Ear : size_t { erect, semi_erect, cropped, drop };
enum Hair : size_t { curly, hairless, short_hair, fluffy };
constexpr std::array<double, 3> figure_widths = {1.25, 1.0, 0.78};  // stout, normal, slim

const std::array<Color, 6> coats = {Color{.85, .65, .35}, Color{.45, .30, .20},
                                    Color{.92, .90, .86}, Color{.45, .48, .55},
                                    Color{.18, .17, .19}, Color{.72, .42, .22}};
const std::array<Color, 3> eye_colors = {Color{.95, .75, .2}, Color{.3, .6, .9}, Color{.3, .2, .1}};

struct Face {
  std::array<size_t, 3> traits;  // ear, hair, figure
  Color coat, patch, eyes, background;
  uint64_t marking;  // none, stripes, mask, blaze
  double x, y, scale, tilt, light, phase;
};

/// 1 inside, 0 outside, soft over about a pixel; `distance` in units of half the picture.
double cover(double distance, double softness) {
  return std::clamp(0.5 - distance / softness, 0.0, 1.0);
}

double ellipse(double x, double y, double rx, double ry) {
  return (std::hypot(x / rx, y / ry) - 1) * std::min(rx, ry);
}

/// Corners in the order in which the ears below have them.
double triangle(double x, double y, const std::array<std::array<double, 2>, 3>& corners) {
  double outside = -1e9;
  for (size_t i = 0; i < 3; ++i) {
    const auto [ax, ay] = corners[i];
    const auto [bx, by] = corners[(i + 1) % 3];
    outside = std::max(
        outside, -((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / std::hypot(bx - ax, by - ay));
  }
  return outside;
}

/// The right ear; the left one is its mirror image. y grows downwards, the head has radius ~0.5.
double ear_shape(size_t ear, double x, double y, double w) {
  if (ear == drop) return ellipse(x - 0.56 * w, y - 0.08, 0.15, 0.42);
  if (ear == cropped)
    return triangle(x, y, {{{0.26 * w, -0.36}, {0.42 * w, -0.28}, {0.36 * w, -0.82}}});
  if (ear == erect) return triangle(x, y, {{{0.12, -0.35}, {0.48 * w, -0.2}, {0.45 * w, -0.86}}});
  return std::min(triangle(x, y, {{{0.12, -0.35}, {0.48 * w, -0.2}, {0.42 * w, -0.62}}}),
                  triangle(x, y, {{{0.24 * w, -0.58}, {0.66 * w, -0.36}, {0.50 * w, -0.66}}}));
}

double head_shape(size_t hair, double x, double y, double width, double phase) {
  const double angle = std::atan2(y, x);
  double radius = 1;
  if (hair == curly) radius += 0.07 * std::abs(std::sin(6 * angle + phase));
  if (hair == fluffy)
    radius += 0.18 * (0.5 + 0.5 * std::asin(std::sin(14 * angle + phase)) / (pi / 2));
  return ellipse(x / radius, y / radius, 0.5 * width, 0.5);
}

void blend(Color& pixel, const Color& color, double amount) { pixel += amount * (color - pixel); }

/// Fur or skin at a place inside head or ear.
Color surface(const Face& face, double x, double y) {
  const size_t hair = face.traits[1];
  double shade = 1, patch = 0;
  if (hair == curly) shade += 0.22 * std::sin(22 * x + face.phase) * std::sin(22 * y);
  if (hair == fluffy) shade += 0.16 * std::sin(34 * x + 9 * y + face.phase);
  Color color = shade * face.coat;
  if (hair == hairless) {
    blend(color, {.93, .72, .66}, 0.75);
    color *= 1 - 0.12 * std::pow(std::sin(16 * y + 3 * x * x), 8);
  }
  if (face.marking == 1) patch = std::pow(0.5 + 0.5 * std::sin(15 * x + 2 * std::cos(4 * y)), 3);
  if (face.marking == 2) patch = cover(ellipse(x, y - 0.2, 0.3, 0.3), 0.15);
  if (face.marking == 3) patch = cover(std::abs(x) - 0.1, 0.1);
  blend(color, face.patch, (hair == hairless ? 0.3 : 0.8) * patch);
  return color;
}

Color pixel_of(const Face& face, double px, double py, double softness) {
  const double cosine = std::cos(face.tilt), sine = std::sin(face.tilt);
  const double u = (px - face.x) / face.scale, v = (py - face.y) / face.scale;
  const double x = cosine * u + sine * v, y = -sine * u + cosine * v;
  const auto [shape, hair, figure] = face.traits;
  const double width = figure_widths[figure], soft = softness / face.scale;

  Color color = face.background;
  const double ear = cover(ear_shape(shape, std::abs(x), y, width), soft);
  const double head = cover(head_shape(hair, x, y, width, face.phase), soft);
  const Color fur = surface(face, x, y);
  if (shape != drop) blend(color, 0.8 * fur, ear);
  blend(color, fur, head);
  if (shape == drop) blend(color, 0.7 * fur, ear);  // hangs in front of the head
  const double eye_x = std::abs(x) - 0.19 * width;
  blend(color, face.eyes, cover(ellipse(eye_x, y + 0.06, 0.09, 0.07), soft));
  blend(color, {.05, .05, .05}, cover(ellipse(eye_x, y + 0.06, 0.04, 0.06), soft));
  blend(color, {.15, .08, .08}, cover(ellipse(x, y - 0.2, 0.09, 0.06), soft));
  return face.light * color;
}

Face choose_face(std::span<const double> scores, const std::string& breed, uint64_t number,
                 Dice& dice) {
  Face face{};
  for (size_t g = 0; g < 3; ++g) {
    const auto& [name, traits] = trait_groups[g];
    const auto own = scores.first(traits.size());
    if (!(std::accumulate(own.begin(), own.end(), 0.0) > 0))
      throw mtl::Error(
          "breed \"{}\": to draw it, every {} score must be known and one of them above 0", breed,
          name);
    face.traits[g] = choose(dice, own);
    scores = scores.subspan(own.size());
  }
  // Coat and marking belong to the breed, but one animal in ten has another coat.
  const bool odd = uniform(dice, 0, 1) < 0.1;
  const uint64_t coat = (odd ? dice() : number) % 6;
  face.coat = coats[coat];
  face.patch = coats[(coat + 2) % 6];
  face.marking = number / 6 % 4;
  face.eyes = eye_colors[number % 3];
  for (double& value : face.coat) value = std::clamp(value + uniform(dice, -.06, .06), 0.0, 1.0);
  const double grey = uniform(dice, 0.3, 0.7);
  for (double& value : face.background) value = grey + uniform(dice, -.08, .08);
  face.x = uniform(dice, -.08, .08);
  face.y = uniform(dice, .04, .2);
  face.scale = uniform(dice, .95, 1.2);
  face.tilt = uniform(dice, -.15, .15);
  face.light = uniform(dice, .85, 1.05);
  face.phase = uniform(dice, 0, 2 * pi);
  return face;
}

void draw(const Face& face, int64_t size, Dice& dice, uint8_t* out) {
  const double pixel = 2.0 / static_cast<double>(size);
  for (int64_t i = 0; i < size * size; ++i) {
    const Color color = pixel_of(face, (static_cast<double>(i % size) + 0.5) * pixel - 1,
                                 (static_cast<double>(i / size) + 0.5) * pixel - 1, 1.5 * pixel);
    const Color noisy = (color + uniform(dice, -.06, .06)).max(0).min(1);
    for (int64_t c = 0; c < 3; ++c)
      out[c * size * size + i] = static_cast<uint8_t>(std::lround(255 * noisy[c]));
  }
}

}  // namespace

mtl::TensorDataset draw_pets(const TraitScores& breeds, int64_t each, int64_t size, uint64_t seed) {
  if (each < 1 || size < 8 || breeds.empty())
    throw mtl::Error(
        "drawn pets: need a breed, a picture of each and 8 pixels, found {}, {} and {}",
        breeds.size(), each, size);
  const int64_t classes = std::ssize(breeds);
  const mtl::Tensor pictures = torch::empty({classes * each, 3, size, size}, torch::kByte);
  mtl::NamedTensors targets{{"breed", torch::arange(classes).repeat_interleave(each)}};
  for (const auto& [name, traits] : trait_groups)
    targets.insert(name, torch::zeros({classes * each, std::ssize(traits)}));
  Dice dice(seed);
  int64_t row = 0;
  for (const auto& [breed, scores] : breeds)
    for (const int64_t end = row + each; row < end; ++row) {
      const Face face = choose_face(scores, breed, static_cast<uint64_t>(row / each), dice);
      draw(face, size, dice, pictures[row].data_ptr<uint8_t>());
      for (size_t g = 0; g < 3; ++g)
        targets[trait_groups[g].name][row][static_cast<int64_t>(face.traits[g])] = 1;
    }
  return mtl::TensorDataset({{"picture", pictures}}, targets);
}

}  // namespace pets
