#include "mtl/combine/combiner.hpp"

#include <algorithm>
#include <utility>

#include "engine/shared_rows.hpp"
#include "mtl/combine/scalars.hpp"
#include "mtl/combine/task_gradients.hpp"
#include "mtl/core/error.hpp"

namespace mtl {
namespace {

bool are_alike(const TaskLosses& losses) {
  const auto type = losses.values.front().scalar_type();
  return std::all_of(losses.values.begin(), losses.values.end(), [&](const Tensor& loss) {
    return loss.dim() == 0 && loss.scalar_type() == type;
  });
}

/// As scalars of the one type that holds them all, so that they may be put together.
TaskLosses made_alike(TaskLosses losses) {
  auto type = losses.values.front().scalar_type();
  for (const Tensor& loss : losses.values) type = at::promote_types(type, loss.scalar_type());
  for (Tensor& loss : losses.values) loss = loss.reshape({}).to(type);
  return losses;
}

}  // namespace

Tensor Combiner::total(const TaskLosses& losses) const { return sum_of(losses.values); }

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

void Combiner::make_report(const TaskLosses& losses, const Parameters& parameters,
                           const Eigen::VectorXd& weights) {
  // Where nothing is shared, no task gradient is either.
  Eigen::MatrixXd products = Eigen::MatrixXd::Zero(weights.size(), weights.size());
  if (!parameters.shared.empty())
    products = gramian(unchecked_task_gradients(losses, without_doubles(parameters.shared)));
  if (parameters.shared.size() == 1)  // a representation may be a share of the batch's
    if (const auto* share = engine::share_of(parameters.shared.front()))
      products = share->sum(products);
  make_report(losses, products, weights);
}

void LossCombiner::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;  // no task has a label in this batch: nothing to learn
  check_losses(losses);
  check_parameters(parameters, losses.task_count);
  const torch::AutoGradMode with_graph(true);  // backward() does not mind a NoGradGuard either
  if (!are_alike(losses)) return LossCombiner::backward(made_alike(losses), parameters);
  const Tensor combined = combine(losses);
  if (!combined.defined() || combined.numel() != 1 || !combined.requires_grad())
    throw Error("a combiner made {} of the losses, expected one number with their graph",
                combined.defined() && combined.numel() == 1
                    ? "a number without a graph"
                    : "a tensor of shape " + shape_text(combined));
  if (step_reports()) make_report(losses, parameters, loss_weights(combined, losses.values));
  combined.backward();
}

}  // namespace mtl
