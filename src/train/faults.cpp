#include "faults.hpp"

#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "mtl/sharing/task_losses.hpp"

namespace mtl {
namespace {

bool is_finite(const Tensor& tensor) {
  return !tensor.defined() || !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
}

int64_t first_faulty_row(const Tensor& tensor, const Tensor& faulty) {
  return tensor.dim() == 0
             ? 0
             : faulty.reshape({tensor.size(0), -1}).any(1).nonzero()[0].item<int64_t>();
}

}  // namespace

std::string explain_loss(const Model& model, const Batch& batch, const NamedTensors& predictions,
                         const std::string& task) {
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
  for (const auto& item : model.named_parameters())
    if (!is_finite(item.value()))
      return fmt::format(
          "parameter \"{}\" holds NaN or infinity: an earlier gradient was at fault (give "
          "max_grad_norm "
          "to have gradients checked before the optimizer's step)",
          item.key());
  if (!is_finite(predictions[task]))
    return "the prediction holds NaN or infinity though inputs and parameters do not";
  return "the prediction is finite, the loss of it is not";
}

std::string explain_gradient(Model& model, const Batch& batch) {
  std::string where;
  std::vector<Tensor> parameters;
  for (const auto& item : model.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    parameters.push_back(item.value());
    if (where.empty() && !is_finite(item.value().grad())) where = item.key();
  }
  const TaskLosses losses = task_losses(model, model.forward(batch.inputs), batch);
  for (int64_t t = 0; t < losses.size(); ++t) {
    const auto i = static_cast<size_t>(t);
    for (const Tensor& gradient :
         torch::autograd::grad({losses.values[i]}, parameters, {}, /*retain_graph=*/true, false,
                               /*allow_unused=*/true))
      if (!is_finite(gradient))
        return fmt::format(
            "task \"{}\": its gradient is NaN or infinite (first at parameter \"{}\"), though its "
            "loss is "
            "finite",
            losses.names[i], where);
  }
  return fmt::format(
      "the combined gradient is NaN or infinite at parameter \"{}\", though each task's own is "
      "finite: "
      "the combiner is at fault",
      where);
}

}  // namespace mtl
