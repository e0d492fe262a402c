#include "mtl/core/error.hpp"
#include "mtl/task/labels.hpp"
#include "mtl/task/losses/gaussian_nll.hpp"
#include "mtl/task/losses/huber.hpp"
#include "mtl/task/losses/mean_absolute_error.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"
#include "mtl/task/losses/poisson.hpp"
#include "mtl/task/losses/quantile.hpp"

namespace mtl {
namespace {

constexpr auto unreduced = at::Reduction::None;

/// A prediction [N, K * parts] and its target's number of values K, checked against each other.
int64_t values_per_sample(const Tensor& prediction, const Tensor& target, int64_t parts,
                          std::string_view meaning) {
  const bool fits = target.dim() == 1 || target.dim() == 2;
  const int64_t values = target.dim() == 2 ? target.size(1) : 1;
  if (!fits || prediction.dim() != 2 || prediction.size(0) != target.size(0) ||
      prediction.size(1) != values * parts) {
    throw Error(
        "the prediction has shape {}, its target {}; expected a prediction [N, {} K] ({}) for a "
        "target [N, K] or, for K = 1, [N]",
        shape_text(prediction), shape_text(target), parts, meaning);
  }
  return values;
}

}  // namespace

SampleLosses MeanSquaredError::operator()(const Tensor& prediction, const Tensor& target) const {
  return elementwise(prediction, target, [](const Tensor& y, const Tensor& t) {
    return torch::mse_loss(y, t, unreduced);
  });
}

Tensor MeanSquaredError::mean(const Tensor& prediction, const Tensor& target) const {
  return torch::mse_loss(prediction, match_target(prediction, target));
}

SampleLosses MeanAbsoluteError::operator()(const Tensor& prediction, const Tensor& target) const {
  return elementwise(prediction, target, [](const Tensor& y, const Tensor& t) {
    return torch::l1_loss(y, t, unreduced);
  });
}

Tensor MeanAbsoluteError::mean(const Tensor& prediction, const Tensor& target) const {
  return torch::l1_loss(prediction, match_target(prediction, target));
}

void Huber::check() const {
  if (!(delta > 0)) throw Error("Huber: delta is {}, expected a positive number", delta);
}

SampleLosses Huber::operator()(const Tensor& prediction, const Tensor& target) const {
  return elementwise(prediction, target, [this](const Tensor& y, const Tensor& t) {
    return torch::huber_loss(y, t, unreduced, delta);
  });
}

Tensor Huber::mean(const Tensor& prediction, const Tensor& target) const {
  return torch::huber_loss(prediction, match_target(prediction, target), at::Reduction::Mean,
                           delta);
}

void GaussianNll::check() const {
  if (!(smallest_variance > 0)) {
    throw Error("GaussianNll: smallest_variance is {}, expected a positive number",
                smallest_variance);
  }
}

SampleLosses GaussianNll::operator()(const Tensor& prediction, const Tensor& target) const {
  const int64_t values = values_per_sample(prediction, target, 2, "K means, then K log variances");
  const Tensor truth = match_target(prediction.narrow(1, 0, values), target);
  const Tensor labelled = labelled_entries(target).view(truth.sizes());
  const Tensor missing = labelled.logical_not();
  const Tensor error =
      prediction.narrow(1, 0, values).masked_fill(missing, 0) - truth.masked_fill(missing, 0);
  const Tensor log_variance = prediction.narrow(1, values, values)
                                  .masked_fill(missing, 0)
                                  .clamp_min(std::log(smallest_variance));
  return over_labelled((log_variance + error.square() * (-log_variance).exp()) / 2, labelled);
}

SampleLosses Poisson::operator()(const Tensor& prediction, const Tensor& target) const {
  return elementwise(prediction, target,
                     [](const Tensor& y, const Tensor& t) { return y.exp() - t * y; });
}

Tensor Poisson::mean(const Tensor& prediction, const Tensor& target) const {
  return torch::poisson_nll_loss(prediction, match_target(prediction, target), /*log_input=*/true,
                                 /*full=*/false, /*eps=*/1e-8, at::Reduction::Mean);
}

void Quantile::check() const {
  if (quantiles.empty()) throw Error("Quantile: no quantile is given");
  for (const double quantile : quantiles) {
    if (!(quantile > 0 && quantile < 1)) {
      throw Error("Quantile: {} is not a quantile, expected a number inside (0, 1)", quantile);
    }
  }
}

SampleLosses Quantile::operator()(const Tensor& prediction, const Tensor& target) const {
  const auto count = static_cast<int64_t>(quantiles.size());
  const int64_t values = values_per_sample(prediction, target, count, "Q quantiles of each value");
  const Tensor y = prediction.view({-1, values, count});
  const Tensor truth = target.view({-1, values}).to(prediction.options());
  const Tensor labelled = labelled_entries(target).view({-1, values});
  const Tensor missing = labelled.logical_not();
  const Tensor error =
      truth.masked_fill(missing, 0).unsqueeze(2) - y.masked_fill(missing.unsqueeze(2), 0);
  const Tensor q = torch::tensor(quantiles, torch::kDouble).to(prediction.options());
  return over_labelled(torch::maximum(q * error, (q - 1) * error).mean(2), labelled);
}

}  // namespace mtl
