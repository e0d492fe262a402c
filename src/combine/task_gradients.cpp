#include "task_gradients.hpp"

#include <torch/autograd.h>

#include "by_task.hpp"

namespace mtl {

Rows task_gradients(const TaskLosses& losses, const std::vector<Tensor>& parameters) {
  Rows rows(parameters.size());
  for (const Tensor& loss : losses.values) {
    std::vector<Tensor> row = torch::autograd::grad({loss}, parameters, {}, /*retain_graph=*/true,
                                                    /*create_graph=*/false, /*allow_unused=*/true);
    for (size_t p = 0; p < parameters.size(); ++p) rows[p].push_back(std::move(row[p]));
  }
  require_finite(norms(rows), losses);
  return rows;
}

Eigen::VectorXd loss_weights(const Tensor& combined, const std::vector<Tensor>& losses) {
  const auto slopes = torch::autograd::grad({combined}, losses, {}, /*retain_graph=*/true,
                                            /*create_graph=*/false, /*allow_unused=*/true);
  Eigen::VectorXd weights(static_cast<Eigen::Index>(losses.size()));
  for (size_t t = 0; t < losses.size(); ++t)
    weights[static_cast<Eigen::Index>(t)] = slopes[t].defined() ? slopes[t].item<double>() : 0;
  return weights;
}

}  // namespace mtl
