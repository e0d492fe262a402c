#include "faults.hpp"

#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "forward.hpp"
#include "gradient_norm.hpp"
#include "mtl/core/error.hpp"
#include "mtl/sharing/task_losses.hpp"

namespace mtl {
namespace {

int64_t first_faulty_row(const Tensor& tensor, const Tensor& faulty) {
  return tensor.dim() == 0
             ? 0
             : faulty.reshape({tensor.size(0), -1}).any(1).nonzero()[0].item<int64_t>();
}

}  // namespace

std::string explain_loss(const Model& model, const Batch& batch, const NamedTensors& predictions,
                         const std::string& task) {
  check_parameters(model);
  for (const auto& item : batch.inputs)
    if (!is_finite(item.value()))
      return fmt::format("input \"{}\" holds NaN or infinity in row {} of the batch", item.key(),
                         first_faulty_row(item.value(), item.value().isfinite().logical_not()));
  const Task& faulty_task = model.tasks().at(task);
  // NaN in a target is a missing label; infinity is no label at all.
  if (const Tensor* target = batch.targets.find(faulty_task.target_name()))
    if (target->is_floating_point() && target->isinf().any().item<bool>())
      return fmt::format("target \"{}\" holds infinity in row {} of the batch",
                         faulty_task.target_name(), first_faulty_row(*target, target->isinf()));
  if (!is_finite(predictions[task]))
    return "the prediction holds NaN or infinity though inputs and parameters do not";
  return "the prediction is finite, the loss of it is not";
}

std::string explain_gradient(Model& model, const std::vector<Batch>& parts) {
  check_parameters(model);
  std::vector<std::string> names;
  std::vector<Tensor> parameters;
  for (const auto& item : model.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    names.push_back(item.key());
    parameters.push_back(item.value());
  }
  for (const Batch& part : parts) {
    if (size(part) == 0) continue;  // a share of no rows
    const TaskLosses losses = task_losses(model, forward(model, part), part);
    for (size_t i = 0; i < losses.values.size(); ++i) {
      if (!losses.values[i].requires_grad()) continue;
      const auto gradients =
          torch::autograd::grad({losses.values[i]}, parameters, {}, /*retain_graph=*/true, false,
                                /*allow_unused=*/true);
      for (size_t p = 0; p < gradients.size(); ++p)
        if (!is_finite(gradients[p]))
          return fmt::format(
              "task \"{}\": its gradient is NaN or infinite (first at parameter \"{}\"), though "
              "its loss is finite",
              losses.names[i], names[p]);
    }
  }
  for (size_t p = 0; p < parameters.size(); ++p)
    if (!is_finite(parameters[p].grad()))
      return fmt::format(
          "the combined gradient is NaN or infinite (first at parameter \"{}\"), though each "
          "task's own is finite: the combiner is at fault",
          names[p]);
  return "the gradients are finite, their norm is beyond the range of their type";
}

void check_parameters(const Model& model) {
  for (const auto& item : model.named_parameters())
    if (!is_finite(item.value()))
      throw Error(
          "parameter \"{}\" holds NaN or infinity, which no other batch mends: "
          "an update before this step went too far. Lower the learning rate, or give max_grad_norm",
          item.key());
}

void check_parameters(const Model& model, Combiner& combiner) {
  check_parameters(model);
  for (const Tensor& parameter : combiner.parameters())
    if (!is_finite(parameter))
      throw Error(
          "a learnable parameter of the combiner holds NaN or infinity, which no other batch "
          "mends: lower the learning rate, or give max_grad_norm");
}

void rethrow_at(const std::string& place) {
  try {
    throw;
  } catch (const Error& error) {
    throw Error("{}: {}", place, error.what());
  } catch (const c10::Error& error) {
    throw Error("{}: {}", place, error.what_without_backtrace());
  }
}

}  // namespace mtl
