#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mtl/combine/combine.hpp"

/// Two losses over a plane that oppose each other in size, slope and direction: the toy of CAGrad
/// (Liu et al., NeurIPS 2021) and Nash-MTL (Navon et al., ICML 2022). Both fall into a valley from
/// above and from below x2 = 0; the Pareto set (pareto_x2) is nearly level between x1 = -7 and
/// x1 = 7. x [..., 2] -> the two losses, each [...].
inline std::vector<mtl::Tensor> toy_losses(const mtl::Tensor& x) {
  const mtl::Tensor x1 = x.select(-1, 0);
  const mtl::Tensor x2 = x.select(-1, 1);
  const mtl::Tensor upper = (x2 / 2).tanh().clamp_min(0);
  const mtl::Tensor lower = (-x2 / 2).tanh().clamp_min(0);
  const auto log_distance = [](const mtl::Tensor& d) { return d.abs().clamp_min(5e-6).log() + 6; };
  const auto bowl = [&](double centre) {
    return ((x1 - centre).square() + 0.1 * (x2 + 8).square()) / 10 - 20;
  };
  const mtl::Tensor first = log_distance((-x1 - 7) / 2 + x2.tanh()) * upper + bowl(7) * lower;
  const mtl::Tensor second = log_distance((-x1 + 3) / 2 - x2.tanh() + 2) * upper + bowl(-7) * lower;
  return {first, second};
}

/// The direction in which a combiner wants to lower the two losses at x [2]: what `.grad` would
/// hold.
inline mtl::Tensor toy_direction(mtl::Combiner& combiner, const mtl::Tensor& x) {
  const mtl::Tensor leaf = x.detach().clone().requires_grad_();
  const std::vector<mtl::Tensor> losses = toy_losses(leaf);
  if (auto* weighs_losses = dynamic_cast<mtl::LossCombiner*>(&combiner)) {
    const mtl::Tensor value = weighs_losses->combine(mtl::task_losses(losses));
    return torch::autograd::grad({value}, {leaf})[0];
  }
  std::vector<mtl::Tensor> rows;
  for (const mtl::Tensor& loss : losses) {
    rows.push_back(torch::autograd::grad({loss}, {leaf}, {}, /*retain_graph=*/true)[0]);
  }
  return mtl::aggregate(combiner, torch::stack(rows));
}

/// The way from `start` with Adam: the point before every `stride`-th step and the last one,
/// [points, 2]. A combiner that looks at the losses after each step (FAMO) gets them.
inline std::vector<mtl::Tensor> toy_path(mtl::Combiner& combiner, const std::vector<double>& start,
                                         double lr, int64_t steps, int64_t stride) {
  mtl::Tensor x = torch::tensor(start, torch::kDouble).requires_grad_();
  torch::optim::Adam adam({x}, torch::optim::AdamOptions(lr));
  std::vector<mtl::Tensor> path;
  for (int64_t step = 0; step < steps; ++step) {
    if (step % stride == 0) path.push_back(x.detach().clone());
    x.mutable_grad() = toy_direction(combiner, x);
    adam.step();
    if (combiner.wants_losses_after_step()) {
      combiner.after_step(mtl::task_losses(toy_losses(x.detach())));
    }
  }
  path.push_back(x.detach().clone());
  return path;
}

/// The Pareto set at x1 in [-7, 7]. Below x2 = 0 the losses are t(x2) b_i(x), t = tanh(-x2 / 2),
/// and the slopes along x1 cancel for the weights (7 + x1) / 14 and (7 - x1) / 14; along x2 they do
/// where t' b + t b' = 0, b the weighted bowl.
inline double pareto_x2(double x1) {
  double x2 = -8;
  for (int i = 0; i < 60; ++i) {
    const double t = std::tanh(-x2 / 2);
    const double bowl = (49 - x1 * x1 + 0.1 * (x2 + 8) * (x2 + 8)) / 10 - 20;
    x2 = -8 + (1 - t * t) / 2 * bowl / (0.02 * t);
  }
  return x2;
}

/// Whether a point is Pareto-optimal to `tolerance` in x.
inline bool in_pareto_set(const mtl::Tensor& x, double tolerance) {
  const double x1 = x[0].item<double>();
  const double x2 = x[1].item<double>();
  return std::abs(x1) <= 7 + tolerance &&
         std::abs(x2 - pareto_x2(std::clamp(x1, -7.0, 7.0))) <= tolerance;
}
