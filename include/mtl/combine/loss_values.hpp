#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mtl/combine/faulty_step.hpp"
#include "mtl/combine/scalars.hpp"
#include "mtl/combine/task_losses.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {

/// What a method asks of losses besides that they are finite.
enum class LossRange { any, at_least_zero, above_zero };

/// For errors about a loss's sign: what to do.
inline constexpr std::string_view other_methods =
    "add a constant to the loss, or choose a method that takes losses of any sign: sum, mean, "
    "fixed, rlw, cosmos, pbi, stch without warm-up, or one on gradients other than gradnorm, imtl "
    "and db_mtl";

/// FaultyStep: `value`, the loss of that row, is NaN, infinite or outside of `range`; names the
/// task and, for its sign, the methods that take such losses.
inline void require_loss(double value, const TaskLosses& losses, size_t row,
                         std::string_view method, LossRange range = LossRange::any) {
  if (!std::isfinite(value))
    throw FaultyStep("task \"{}\": its loss is {}, expected a finite number", losses.names[row],
                     value);
  if (range == LossRange::any || value > 0) return;
  if (value == 0 && range == LossRange::at_least_zero) return;
  throw FaultyStep(
      "task \"{}\": its loss is {}, but {} needs losses {}; {}", losses.names[row], value, method,
      range == LossRange::above_zero ? "above zero" : "that are not below zero", other_methods);
}

/// The losses of a step with graph, P scalars. Error: one is not a single number. FaultyStep: one
/// is NaN, infinite or outside of `range`; this is looked for on the CPU only, as it would wait for
/// another device.
inline std::vector<Tensor> checked_losses(const TaskLosses& losses, std::string_view method,
                                          LossRange range = LossRange::any) {
  std::vector<Tensor> values = losses.values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].numel() != 1) {
      throw Error("task \"{}\": its loss has shape {}, expected one number: take its mean",
                  losses.names[i], shape_text(values[i]));
    }
    if (values[i].dim() != 0) values[i] = values[i].reshape({});
    if (values[i].device().is_cpu()) require_loss(number_of(values[i]), losses, i, method, range);
  }
  return values;
}

/// The same as one tensor with graph, [P].
inline Tensor loss_values(const TaskLosses& losses, std::string_view method,
                          LossRange range = LossRange::any) {
  return stacked(checked_losses(losses, method, range));
}

/// Scalars as numbers; those on a device are read together, with one wait.
inline Eigen::VectorXd read_together(const std::vector<Tensor>& scalars) {
  Eigen::VectorXd numbers(static_cast<Eigen::Index>(scalars.size()));
  const auto there = std::find_if(scalars.begin(), scalars.end(),
                                  [](const Tensor& scalar) { return !scalar.is_cpu(); });
  if (there == scalars.end()) {
    for (size_t i = 0; i < scalars.size(); ++i)
      numbers[static_cast<Eigen::Index>(i)] = number_of(scalars[i]);
    return numbers;
  }
  const Tensor like = there->detach().to(torch::kDouble);
  std::vector<Tensor> together;
  for (const Tensor& scalar : scalars)
    together.push_back(beside(scalar.detach(), like).reshape({}));
  const Tensor here = torch::stack(together).cpu();
  std::copy_n(here.data_ptr<double>(), numbers.size(), numbers.begin());
  return numbers;
}

/// The losses of a step as numbers, [P]; waits for a device once. FaultyStep: one is NaN, infinite
/// or outside of `range`.
inline Eigen::VectorXd loss_numbers(const TaskLosses& losses, std::string_view method,
                                    LossRange range = LossRange::any) {
  const Eigen::VectorXd numbers = read_together(losses.values);
  for (size_t i = 0; i < losses.values.size(); ++i)
    require_loss(numbers[static_cast<Eigen::Index>(i)], losses, i, method, range);
  return numbers;
}

/// FaultyStep: a loss of the step is NaN or infinite; looked for on the CPU only, as above.
inline void require_finite_losses(const TaskLosses& losses, std::string_view method) {
  for (size_t i = 0; i < losses.values.size(); ++i)
    if (losses.values[i].defined() && losses.values[i].numel() == 1 &&
        losses.values[i].device().is_cpu())
      require_loss(losses.values[i].item<double>(), losses, i, method);
}

/// A list of options by task as a tensor in double precision; undefined where it is empty.
inline Tensor numbers_by_task(const std::vector<double>& numbers) {
  return numbers.empty() ? Tensor() : torch::tensor(numbers, torch::kDouble);
}

/// The same for weights. Error: all of them are zero.
inline Tensor weights_by_task(const std::vector<double>& weights, std::string_view method) {
  if (!weights.empty() && *std::max_element(weights.begin(), weights.end()) == 0)
    throw Error("combiner \"{}\": all weights are 0, expected one above it", method);
  return numbers_by_task(weights);
}

/// Error: there are numbers by task, but not for so many tasks; the text names `what`.
inline void require_by_task(const Tensor& by_task, int64_t tasks, std::string_view what) {
  if (by_task.defined() && by_task.size(0) != tasks) {
    throw Error("there are {} {}, but {} tasks; give one a task, in the order of the registry",
                by_task.size(0), what, tasks);
  }
}

/// A few numbers made on the host, in the dtype of the losses, of several types in that which holds
/// them all, and on their device, which is not waited for.
inline Tensor like_losses(const Tensor& numbers, const TaskLosses& losses) {
  const Tensor& first = losses.values.front();
  auto type = first.scalar_type();
  for (const Tensor& loss : losses.values)
    if (loss.scalar_type() != type) type = at::promote_types(type, loss.scalar_type());
  return beside(numbers, type == first.scalar_type() ? first : first.detach().to(type));
}

/// The entries of the tasks of a step out of `by_task` [T], [P], as the losses are. Error: it is
/// not for so many tasks; the text names `what`.
inline Tensor of_step(const Tensor& by_task, const TaskLosses& losses, std::string_view what) {
  require_by_task(by_task, losses.task_count, what);
  if (losses.size() == losses.task_count) return like_losses(by_task, losses);
  return like_losses(by_task.index_select(0, torch::tensor(losses.tasks)), losses);
}

}  // namespace mtl
