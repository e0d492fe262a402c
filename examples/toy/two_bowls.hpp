#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "mtl/combine/combine.hpp"

inline constexpr double bowl_centres[2][2] = {{-6, -4}, {6, 4}};

/// Two round bowls over a plane, both above zero, so that methods on logarithms walk as well:
///     l_1 = 1 + |x - a|^2 / 10,   l_2 = 1 + |x - b|^2
/// The second is ten times as steep. x [..., 2] -> the two losses, each [...]. Their Pareto set is
/// the line between the centres a and b.
inline std::vector<mtl::Tensor> two_bowls(const mtl::Tensor& x) {
  const auto squared_distance = [&](const double(&centre)[2]) {
    return (x.select(-1, 0) - centre[0]).square() + (x.select(-1, 1) - centre[1]).square();
  };
  return {1 + squared_distance(bowl_centres[0]) / 10, 1 + squared_distance(bowl_centres[1])};
}

/// Whether x [2] is between the centres, to `tolerance` in x.
inline bool between_bowls(const mtl::Tensor& x, double tolerance) {
  const double ax = bowl_centres[0][0], ay = bowl_centres[0][1];
  const double bx = bowl_centres[1][0] - ax, by = bowl_centres[1][1] - ay;
  const double px = x[0].item<double>() - ax, py = x[1].item<double>() - ay;
  const double along = std::clamp((px * bx + py * by) / (bx * bx + by * by), 0.0, 1.0);
  return std::hypot(px - along * bx, py - along * by) <= tolerance;
}
