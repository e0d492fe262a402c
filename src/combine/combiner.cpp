#include "mtl/combine/combiner.hpp"

#include "by_task.hpp"
#include "mtl/core/error.hpp"
#include "mtl/sharing/model.hpp"
#include "task_gradients.hpp"

namespace mtl {

TaskLosses task_losses(std::vector<Tensor> values) {
  TaskLosses losses;
  losses.task_count = static_cast<int64_t>(values.size());
  for (int64_t t = 0; t < losses.task_count; ++t) {
    losses.tasks.push_back(t);
    losses.names.push_back(std::to_string(t));
    losses.samples.push_back(1);
  }
  losses.values = std::move(values);
  return losses;
}

Tensor Combiner::total(const TaskLosses& losses) const { return torch::stack(losses.values).sum(); }

void Combiner::load_state_dict(const NamedTensors& state) {
  if (!state.is_empty())
    throw Error(
        "this combiner keeps no state, but was given \"{}\"; the checkpoint is of another combiner",
        state.front().key());
}

void Combiner::make_report(const TaskLosses& losses, const Eigen::MatrixXd& gramian,
                           const Eigen::VectorXd& weights, bool stationary) {
  CombinerReport report;
  report.names = losses.names;
  report.norms = gramian.diagonal().cwiseSqrt();
  report.cosines = gramian.cwiseQuotient(report.norms * report.norms.transpose());
  report.weights = weights;
  const Eigen::VectorXd products = gramian * weights;
  const double length = weights.dot(products);
  report.shares = length > 0 ? Eigen::VectorXd(weights.cwiseProduct(products) / length)
                             : Eigen::VectorXd(Eigen::VectorXd::Zero(weights.size()));
  for (Eigen::Index i = 0; i < gramian.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j) report.conflicts += gramian(i, j) < 0;
  report.stationary = stationary;
  report_ = std::move(report);
}

void Combiner::make_report(const TaskLosses& losses, Model& model, const Eigen::VectorXd& weights) {
  make_report(losses, gramian(task_gradients(losses, model.shared_parameters())), weights);
}

void LossCombiner::backward(const TaskLosses& losses, Model& model) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  const Tensor combined = combine(losses);
  if (step_reports()) make_report(losses, model, loss_weights(combined, losses.values));
  combined.backward();
}

}  // namespace mtl
