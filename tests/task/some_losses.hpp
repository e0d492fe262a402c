#pragma once

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "mtl/task/tasks.hpp"

/// A loss with predictions and targets of six samples that it takes.
struct LossCase {
  std::string name;
  std::function<mtl::SampleLosses(const mtl::Tensor&, const mtl::Tensor&)> by_sample;
  std::function<mtl::MeanLoss(const mtl::Tensor&, const mtl::Tensor&)> mean;  // empty: has none
  mtl::Loss loss;
  mtl::Tensor prediction, target;
};

template <class L>
LossCase loss_case(std::string name, L loss, mtl::Tensor prediction, mtl::Tensor target) {
  std::function<mtl::MeanLoss(const mtl::Tensor&, const mtl::Tensor&)> mean;
  if constexpr (requires { loss.mean(prediction, target); })
    mean = [loss](const mtl::Tensor& y, const mtl::Tensor& t) -> mtl::MeanLoss {
      return {loss.mean(y, t)};
    };
  return {std::move(name), loss, mean, loss, std::move(prediction), std::move(target)};
}

/// Every loss, with each of its options and shapes.
inline std::vector<LossCase> loss_cases() {
  using namespace mtl;
  torch::manual_seed(1);
  const auto y = [](at::IntArrayRef sizes) { return torch::randn(sizes, torch::kDouble); };
  const auto score = [](at::IntArrayRef sizes) { return torch::rand(sizes, torch::kDouble); };
  const auto classes = [](at::IntArrayRef sizes, int64_t count) {
    return torch::randint(count, sizes, torch::kLong);
  };
  const auto box = [&](std::vector<int64_t> sizes) {
    sizes.push_back(2);
    const Tensor low = y(sizes);
    return torch::cat({low, low + score(sizes) + 0.5}, -1);
  };
  const Tensor w = torch::tensor({0.5, 2.0, 1.0, 0.25}, torch::kDouble);
  const Tensor p = torch::tensor({1.0, 3.0, 0.5}, torch::kDouble);
  return {
      loss_case("mse", MeanSquaredError{}, y({6}), y({6})),
      loss_case("mse, outputs", MeanSquaredError{}, y({6, 3}), y({6, 3})),
      loss_case("mse, column", MeanSquaredError{}, y({6, 1}), y({6})),
      loss_case("mse, map", MeanSquaredError{}, y({6, 1, 2, 3}), y({6, 2, 3})),
      loss_case("mae", MeanAbsoluteError{}, y({6, 3}), y({6, 3})),
      loss_case("huber", Huber{.delta = 0.7}, y({6, 3}), y({6, 3})),
      loss_case("gaussian", GaussianNll{}, y({6, 4}), y({6, 2})),
      loss_case("gaussian, one value", GaussianNll{}, y({6, 2}), y({6})),
      loss_case("poisson", Poisson{}, y({6, 2}),
                torch::poisson(torch::full({6, 2}, 3.0, torch::kDouble))),
      loss_case("quantile", Quantile{}, y({6, 3}), y({6})),
      loss_case("quantile, values", Quantile{.quantiles = {0.2, 0.7}}, y({6, 6}), y({6, 3})),
      loss_case("distillation", Distillation{}, y({6, 4}), y({6, 4})),
      loss_case("distillation, scores", Distillation{.of = Distillation::Of::scores}, y({6, 2, 3}),
                y({6, 2, 3})),
      loss_case("ce", CrossEntropy{}, y({6, 4}), classes({6}, 4)),
      loss_case("ce, weights", CrossEntropy{.class_weights = w}, y({6, 4}), classes({6}, 4)),
      loss_case("ce, smoothing", CrossEntropy{.label_smoothing = 0.1}, y({6, 4}), classes({6}, 4)),
      loss_case("ce, both", CrossEntropy{.class_weights = w, .label_smoothing = 0.1}, y({6, 4}),
                classes({6}, 4)),
      loss_case("ce, weights, pixels", CrossEntropy{.class_weights = w}, y({6, 4, 2, 3}),
                classes({6, 2, 3}, 4)),
      loss_case("ce, both, pixels", CrossEntropy{.class_weights = w, .label_smoothing = 0.1},
                y({6, 4, 2, 3}), classes({6, 1, 2, 3}, 4)),
      loss_case("ce, column", CrossEntropy{}, y({6, 4}), classes({6, 1}, 4)),
      loss_case("bce", BinaryCrossEntropy{}, y({6}), score({6})),
      loss_case("bce, outputs", BinaryCrossEntropy{.pos_weight = p}, y({6, 3}), score({6, 3})),
      loss_case("bce, maps", BinaryCrossEntropy{.pos_weight = p}, y({6, 3, 2}), score({6, 3, 2})),
      loss_case("focal", Focal{.class_weights = w}, y({6, 4}), classes({6}, 4)),
      loss_case("focal, pixels", Focal{.gamma = 0.5}, y({6, 4, 5}), classes({6, 5}, 4)),
      loss_case("ce, tokens", CrossEntropy{.class_weights = w}, y({6, 4, 5}), classes({6, 5}, 4)),
      loss_case("box", BoxLoss{}, y({6, 4}), box({6})),
      loss_case("boxes, middle", BoxLoss{.format = BoxLoss::Format::center}, score({6, 3, 4}),
                score({6, 3, 4}) + 0.1),
      loss_case("box set", BoxSetLoss{}, y({6, 4, 4 + 3}),
                torch::cat({box({6, 2}), classes({6, 2, 1}, 3).to(torch::kDouble)}, 2)),
      loss_case("iou", SoftIou{}, y({6, 4, 2, 3}), classes({6, 2, 3}, 4)),
      loss_case("iou, one class", SoftIou{}, y({6, 1, 7}), score({6, 7})),
      loss_case("dice", Dice{}, y({6, 4, 2, 3}), classes({6, 2, 3}, 4)),
      loss_case("dice, one class", Dice{}, y({6, 1, 7}), score({6, 7})),
      loss_case("ctc", Ctc{}, y({6, 5, 4}), 1 + classes({6, 2}, 3)),
  };
}

/// Takes a sample's label away.
inline void hide(mtl::Tensor& target, int64_t sample) {
  if (target.is_floating_point())
    target[sample].fill_(std::numeric_limits<double>::quiet_NaN());
  else
    target[sample].fill_(mtl::missing_class);
}

inline mtl::Tensor weighted_mean(const mtl::SampleLosses& losses) {
  return (losses.values * losses.weights).sum() / losses.weights.sum();
}

inline bool is_close(const mtl::Tensor& a, const mtl::Tensor& b, double tolerance = 1e-12) {
  return torch::allclose(a, b, tolerance, tolerance);
}
