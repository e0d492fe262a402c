#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "mtl/mtl.hpp"

namespace vision {

using mtl::Tensor;

/// Pictures [N, 3, S, S] in 0 to 1, and of each: "breed" [N], "head" [N, 4], the box of the head as
/// middle, width and height in shares of the picture, "outline" [N, S, S], 1 on the animal.
struct Animals {
  Tensor pictures;
  mtl::NamedTensors targets;
  std::vector<std::string> breeds;
};

/// Animals of nine breeds: round, hanging or pointed ears, a plain, striped or dotted coat. Colour,
/// place, size, background and what else lies about tell nothing.
inline Animals draw_animals(int64_t count, int64_t size, uint64_t seed) {
  torch::Generator random = mtl::make_generator(seed);
  const auto uniform = [&](double low, double high, int64_t channels = 1) {
    return low + (high - low) * torch::rand({count, channels, 1, 1}, random);
  };
  const Tensor y = ((torch::arange(size) + 0.5) / size).view({1, 1, size, 1});
  const Tensor x = y.transpose(2, 3);
  const auto ellipse = [&](const Tensor& cx, const Tensor& cy, const Tensor& rx, const Tensor& ry) {
    return (((x - cx) / rx).square() + ((y - cy) / ry).square()).lt(1);
  };
  const Tensor breed = torch::randint(9, {count}, random, torch::kLong);
  const Tensor ears = breed.div(3, "floor"), coats = breed.remainder(3).view({count, 1, 1, 1});
  const Tensor side = torch::randint(2, {count, 1, 1, 1}, random, torch::kFloat) * 2 - 1;
  const Tensor r = uniform(0.09, 0.15), hy = uniform(0.3, 0.5);
  const Tensor hx = 0.5 + side * uniform(0.05, 0.2);
  // Of each kind of ear: how far out and up, its half axes; in radii of the head.
  const Tensor shapes = torch::tensor(
      {{0.7, -0.85, 0.5, 0.5}, {1.05, 0.15, 0.3, 0.85}, {0.6, -1.1, 0.22, 0.75}}, torch::kFloat);
  const Tensor ear = r * shapes.index_select(0, ears).view({count, 4, 1, 1});
  const auto part = [&](int64_t i) { return ear.narrow(1, i, 1); };
  Tensor head = ellipse(hx, hy, r, r);
  for (const double to : {-1.0, 1.0})
    head = head | ellipse(hx + to * part(0), hy + part(1), part(2), part(3));
  Tensor animal = head | ellipse(hx - 1.7 * side * r, hy + 1.1 * r, 1.7 * r, 0.95 * r);
  for (const double leg : {0.8, 2.6})
    animal = animal | ellipse(hx - leg * side * r, hy + 2.1 * r, 0.25 * r, 0.8 * r);
  Tensor picture = uniform(0.1, 0.9, 3) + (y - 0.5) * uniform(-0.6, 0.6, 3);
  for (int i = 0; i < 5; ++i) {
    const Tensor wide = uniform(0.03, 0.2), high = uniform(0.03, 0.2);
    picture =
        torch::where(ellipse(uniform(0, 1), uniform(0, 1), wide, high), uniform(0, 1, 3), picture);
  }
  const Tensor stripes = (x * 50 + uniform(0, 6)).sin().gt(0);
  const Tensor dots = ((x * 38).sin() * (y * 38).sin()).gt(0.2);
  const Tensor dark = (coats.eq(1) & stripes) | (coats.eq(2) & dots);
  const Tensor coat = uniform(0.35, 1, 3) * (1 - 0.55 * dark.to(torch::kFloat));
  picture = torch::where(animal, coat, picture) + 0.06 * torch::randn(picture.sizes(), random);

  const Tensor top = torch::minimum(-r, part(1) - part(3));
  const Tensor bottom = torch::maximum(r, part(1) + part(3));
  const Tensor wide = torch::maximum(r, part(0) + part(2));
  const Tensor box = torch::cat({hx, hy + (top + bottom) / 2, 2 * wide, bottom - top}, 1);
  return {picture.clamp(0, 1),
          {{"breed", breed},
           {"head", box.flatten(1)},
           {"outline", animal.squeeze(1).to(torch::kFloat)}},
          {"round, plain", "round, striped", "round, dotted", "hanging, plain", "hanging, striped",
           "hanging, dotted", "pointed, plain", "pointed, striped", "pointed, dotted"}};
}

/// Real animals: DIR/manifest.csv names pictures, breeds and boxes of heads in pixels of orig_w x
/// orig_h, DIR/trimaps has outlines (2 is background) for some. What is not there is missing.
inline Animals read_animals(const std::filesystem::path& folder, int64_t size) {
  const mtl::Table table = mtl::Table::read(folder / "manifest.csv");
  const auto breed = mtl::LabelEncoder::learn(table.texts("breed"), mtl::LabelOrder::sorted);
  std::vector<Tensor> pictures, outlines;
  const std::vector<std::string> files = table.texts("file");
  for (const std::string& file : files) {
    const auto image = mtl::images::resize(mtl::images::read(folder / file).image, size, size);
    pictures.push_back(mtl::images::to_tensor(image).to(torch::kFloat) / 255);
    auto trimap = folder / "trimaps" / std::filesystem::path(file).filename();
    trimap.replace_extension(".png");
    outlines.push_back(torch::full({size, size}, NAN));
    if (std::filesystem::exists(trimap)) {
      const Tensor levels = mtl::images::to_tensor(mtl::images::read(trimap).image)[0];
      const Tensor is_animal = levels.ne(2).to(torch::kFloat).unsqueeze(0).unsqueeze(0);
      outlines.back() = at::upsample_nearest2d(is_animal, {size, size})[0][0];
    }
  }
  const Tensor corners = table.matrix({"xmin", "ymin", "xmax", "ymax"});
  const Tensor sizes = table.matrix({"orig_w", "orig_h"});
  const Tensor low = corners.narrow(1, 0, 2) / sizes, high = corners.narrow(1, 2, 2) / sizes;
  return {torch::stack(pictures),
          {{"breed", breed.encode(table.texts("breed"))},
           {"head", torch::cat({(low + high) / 2, high - low}, 1).to(torch::kFloat)},
           {"outline", torch::stack(outlines)}},
          breed.classes()};
}

}  // namespace vision
