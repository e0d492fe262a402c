#include "gradient_norm.hpp"

#include <Eigen/Core>
#include <cmath>

namespace mtl {
namespace {

/// 0 times a number is 0, unless the number is NaN or infinite.
template <class Scalar>
bool is_finite_block(const void* data, int64_t count) {
  const Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>> values(
      static_cast<const Scalar*>(data), count);
  return (values * Scalar(0)).sum() == Scalar(0);
}

}  // namespace

bool is_finite(const Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_floating_point() || tensor.numel() == 0) return true;
  if (tensor.is_sparse()) return is_finite(tensor._values());
  if (tensor.is_cpu() && tensor.is_non_overlapping_and_dense()) {
    if (tensor.scalar_type() == torch::kFloat)
      return is_finite_block<float>(tensor.data_ptr(), tensor.numel());
    if (tensor.scalar_type() == torch::kDouble)
      return is_finite_block<double>(tensor.data_ptr(), tensor.numel());
  }
  return tensor.isfinite().all().item<bool>();
}

bool gradients_are_finite(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> on_device;
  for (const Tensor& parameter : parameters) {
    const Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    if (gradient.is_cpu()) {
      if (!is_finite(gradient)) return false;
    } else {
      on_device.push_back(gradient);
    }
  }
  if (on_device.empty()) return true;
  torch::NoGradGuard no_grad;
  std::vector<Tensor> zeros;
  for (const Tensor& gradient : on_device)
    zeros.push_back((gradient.abs().amax() * 0).to(torch::kFloat));
  return torch::stack(zeros).sum().item<float>() == 0;
}

bool clip_gradients(const std::vector<Tensor>& parameters, double max_norm) {
  torch::NoGradGuard no_grad;
  std::vector<Tensor> gradients, norms;
  gradients.reserve(parameters.size());
  norms.reserve(parameters.size());
  for (const Tensor& parameter : parameters) {
    const Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    gradients.push_back(gradient);
    norms.push_back(gradient.norm(2));
  }
  if (gradients.empty()) return true;
  const Tensor norm = norms.size() == 1 ? norms.front() : torch::stack(norms).norm(2);
  if (!std::isfinite(norm.item<double>())) return false;
  const Tensor factor = (max_norm / (norm + 1e-6)).clamp_max(1.0);
  if (factor.item<double>() < 1.0)
    for (const Tensor& gradient : gradients) gradient.mul_(factor);
  return true;
}

}  // namespace mtl
