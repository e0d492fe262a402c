#include "mtl/combine/task_gradients.hpp"

#include <torch/autograd.h>

#include <cmath>

#include "mtl/combine/faulty_step.hpp"

namespace mtl {
namespace {

// d value / d inputs, which keeps the graph; undefined where there is none: a value without a
// graph, an input that is frozen or not part of it.
std::vector<Tensor> slopes(const Tensor& value, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> found(inputs.size()), asked;
  std::vector<size_t> places;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) continue;
    asked.push_back(inputs[i]);
    places.push_back(i);
  }
  if (asked.empty() || !value.requires_grad()) return found;
  auto answers = torch::autograd::grad({value}, asked, {}, /*retain_graph=*/true,
                                       /*create_graph=*/false, /*allow_unused=*/true);
  for (size_t i = 0; i < places.size(); ++i) found[places[i]] = std::move(answers[i]);
  return found;
}

}  // namespace

Rows unchecked_task_gradients(const TaskLosses& losses, const std::vector<Tensor>& parameters) {
  Rows rows(parameters.size());
  for (const Tensor& loss : losses.values) {
    std::vector<Tensor> row = slopes(loss, parameters);
    for (size_t p = 0; p < parameters.size(); ++p) rows[p].push_back(std::move(row[p]));
  }
  return rows;
}

Rows task_gradients(const TaskLosses& losses, const std::vector<Tensor>& parameters) {
  Rows rows = unchecked_task_gradients(losses, parameters);
  require_finite(norms(rows), losses.names);
  return rows;
}

Eigen::VectorXd loss_weights(const Tensor& combined, const std::vector<Tensor>& losses) {
  const std::vector<Tensor> found = slopes(combined, losses);
  Eigen::VectorXd weights(static_cast<Eigen::Index>(losses.size()));
  for (size_t t = 0; t < losses.size(); ++t)
    weights[static_cast<Eigen::Index>(t)] = found[t].defined() ? found[t].item<double>() : 0;
  return weights;
}

void require_finite(const Eigen::VectorXd& lengths, const std::vector<std::string>& names) {
  for (Eigen::Index t = 0; t < lengths.size(); ++t)
    if (!std::isfinite(lengths[t]))
      throw FaultyStep("task \"{}\": its gradient holds NaN or infinity",
                       names[static_cast<size_t>(t)]);
}

}  // namespace mtl
