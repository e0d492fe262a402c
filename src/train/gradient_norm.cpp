#include "gradient_norm.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <Eigen/Core>
#include <algorithm>
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
  if (!tensor.defined() || tensor.numel() == 0) return true;
  if (tensor.is_sparse()) return is_finite(tensor._values());
  if (tensor.is_complex()) return is_finite(in_real_parts(tensor));
  if (!tensor.is_floating_point()) return true;
  if (tensor.is_cpu() && tensor.is_non_overlapping_and_dense()) {
    if (tensor.scalar_type() == torch::kFloat)
      return is_finite_block<float>(tensor.data_ptr(), tensor.numel());
    if (tensor.scalar_type() == torch::kDouble)
      return is_finite_block<double>(tensor.data_ptr(), tensor.numel());
  }
  return tensor.isfinite().all().item<bool>();
}

Tensor gradient_entries(const Tensor& gradient) {
  return gradient.is_sparse() ? gradient.coalesce().values() : gradient;
}

bool gradients_are_finite(const std::vector<Tensor>& parameters) {
  return std::all_of(parameters.begin(), parameters.end(),
                     [](const Tensor& parameter) { return mtl::is_finite(parameter.grad()); });
}

void drop_gradients(const std::vector<Tensor>& held, const Parameters& of_model) {
  const auto drop = [](const std::vector<Tensor>& parameters) {
    for (const Tensor& parameter : parameters) parameter.mutable_grad().reset();
  };
  drop(held);
  drop(of_model.shared);
  for (const auto& of_task : of_model.by_task) drop(of_task);
}

bool clip_gradients(const std::vector<Tensor>& parameters, double max_norm) {
  const c10::InferenceMode no_records;  // of versions and views either: half the way to each kernel
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

Tensor clip_unread(const std::vector<Tensor>& parameters, double max_norm, torch::Device device) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> there, elsewhere;  // a combiner may keep what it learns on the CPU
  for (const Tensor& parameter : parameters) {
    const Tensor& gradient = parameter.grad();
    if (gradient.defined())
      (gradient.device() == device && !gradient.is_sparse() ? there : elsewhere)
          .push_back(gradient);
  }
  const auto zero = torch::zeros({}, torch::device(device));
  const int order = max_norm > 0 ? 2 : 1;  // a sum of squares leaves the range of a float sooner
  std::vector<Tensor> norms;
  if (!there.empty()) norms = at::_foreach_norm(there, order);
  for (const Tensor& gradient : elsewhere) norms.push_back(gradient_entries(gradient).norm(order));
  for (Tensor& norm : norms) norm = beside(norm, zero);
  const Tensor norm = norms.empty() ? zero : torch::stack(norms).norm(order);
  if (max_norm == 0) return norm;
  // Always scaled, since whether it is needed would have to be read; a factor of 1 changes no bit.
  const Tensor factor = (max_norm / (norm + 1e-6)).clamp_max(1.0);
  for (Tensor& gradient : there) gradient.mul_(factor);
  for (Tensor& gradient : elsewhere) gradient.mul_(factor.to(gradient.device()));
  return norm;
}

}  // namespace mtl
