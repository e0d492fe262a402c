#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../by_task.hpp"
#include "../engine/capture.hpp"
#include "../task_gradients.hpp"
#include "mtl/combine/bilevel/auto_lambda.hpp"
#include "mtl/combine/bilevel/forum.hpp"
#include "mtl/combine/bilevel/moml.hpp"
#include "mtl/combine/solvers/constrained.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/core/random.hpp"
#include "trial.hpp"

// The combiners that learn weights from validation losses.

namespace mtl {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

void require_positive(std::string_view combiner, std::string_view option, double value) {
  require(value > 0 && std::isfinite(value), combiner, option, value, "a positive number");
}

void accumulate(const std::vector<Tensor>& parameters, const std::vector<Tensor>& direction) {
  for (size_t p = 0; p < parameters.size(); ++p) engine::accumulate(parameters[p], direction[p]);
}

/// How the losses change along `direction`, [P]: differences over .01 of its length.
VectorXd slopes_along(const std::vector<Tensor>& direction, double length, const TaskLosses& losses,
                      Trial& trial) {
  const torch::NoGradGuard no_grad;
  const double reach = 0.01 / length;
  // Dropout has to fall alike on both sides.
  torch::Generator generator = at::globalContext().defaultGenerator(losses.values.front().device());
  const Tensor draws = generator_state(generator);
  const auto values_at = [&](double factor) {
    trial.restore();
    trial.move(direction, factor);
    return finite_values(again(losses, "Auto-Lambda"), "at the trial parameters");
  };
  const VectorXd ahead = values_at(reach);
  set_generator_state(generator, draws);
  return (ahead - values_at(-reach)) / (2 * reach);
}

/// Factors that bring rows of these lengths to `scale`; a zero row stays.
template <class Scale>
VectorXd factors(Scale scale, const VectorXd& lengths) {
  if (scale == Scale::none) return VectorXd::Ones(lengths.size());
  return (lengths.array() > 0).select(lengths.cwiseInverse(), 1.0);
}

}  // namespace

AutoLambda::AutoLambda(Options options)
    : options_(std::move(options)), weights_(options_.start, options_.lr) {
  require_positive("Auto-Lambda", "lr", options_.lr);
  require_positive("Auto-Lambda", "inner_lr", options_.inner_lr);
  require_positive("Auto-Lambda", "start", options_.start);
  double most = options_.primary.empty() ? 1 : 0;
  for (double factor : options_.primary) {
    require(factor >= 0 && std::isfinite(factor), "Auto-Lambda", "a factor of primary", factor,
            "a number that is not negative");
    most = std::max(most, factor);
  }
  require(most > 0, "Auto-Lambda", "the largest factor of primary", most, "a positive number");
}

void AutoLambda::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  learn(losses, parameters);
  const VectorXd w = weights_.present(losses);
  if (step_reports()) make_report(losses, parameters, w);
  weighted(losses, w).backward();
}

void AutoLambda::learn(const TaskLosses& losses, const Parameters& parameters) {
  Trial trial(parameters);
  trial.move(gradient(losses, weights_.present(losses), trial.parameters(), Graph::keep),
             -options_.inner_lr);
  const TaskLosses validation = validation_losses(options_.validation, losses, "Auto-Lambda");
  std::vector<int64_t> all(static_cast<size_t>(validation.size()));
  std::iota(all.begin(), all.end(), 0);
  const VectorXd primary =
      of_rows(options_.primary, validation, all, 1.0, "the option primary of Auto-Lambda");
  if (!(primary.size() > 0 && primary.maxCoeff() > 0)) return;  // this batch teaches nothing
  const auto direction = gradient(validation, primary, trial.parameters(), Graph::free);
  const double length = std::sqrt(product(direction, direction));
  if (!std::isfinite(length))
    throw Error("Auto-Lambda: the gradient of the validation losses holds NaN or infinity");
  if (length == 0) return;
  const VectorXd slopes = slopes_along(direction, length, losses, trial);
  weights_.descend(losses, -options_.inner_lr * slopes, 0);
}

Moml::Moml(Options options) : options_(std::move(options)), logits_(0, options_.lr) {
  require_positive("MOML", "lr", options_.lr);
  require_positive("MOML", "inner_lr", options_.inner_lr);
}

void Moml::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  if (losses.task_count == 1) return losses.values.front().backward();
  Trial trial(parameters);
  const Rows rows = task_gradients(losses, trial.parameters());
  const VectorXd p = softmax(logits_.present(losses));
  trial.move(weighted_sum(rows, p), -options_.inner_lr);
  const TaskLosses validation = validation_losses(options_.validation, losses, "MOML");
  if (validation.size() > 0) {
    const Rows upper = task_gradients(validation, trial.parameters());
    MatrixXd slopes(validation.size(), losses.size());
    std::vector<Tensor> row(upper.size());
    for (Eigen::Index s = 0; s < slopes.rows(); ++s) {
      for (size_t i = 0; i < upper.size(); ++i) row[i] = upper[i][static_cast<size_t>(s)];
      slopes.row(s) = -options_.inner_lr * through_softmax(p, products(rows, row));
    }
    slopes = factors(options_.scale, slopes.rowwise().norm()).asDiagonal() * slopes;
    const VectorXd shares = solvers::min_norm_point(slopes * slopes.transpose()).weights;
    logits_.descend(losses, slopes.transpose() * shares);
  }
  const VectorXd w = softmax(logits_.present(losses));
  accumulate(trial.parameters(), weighted_sum(rows, w));
  if (step_reports()) {
    trial.restore();  // the graph is that of the parameters before the trial
    make_report(losses, parameters, w);
  }
}

Forum::Forum(Options options) : options_(std::move(options)), logits_(0, options_.lr) {
  require_positive("FORUM", "lr", options_.lr);
  require_positive("FORUM", "inner_lr", options_.inner_lr);
  require(options_.inner_steps >= 1, "FORUM", "inner_steps",
          static_cast<double>(options_.inner_steps), "1 or more");
  require(options_.rho >= 0 && std::isfinite(options_.rho), "FORUM", "rho", options_.rho,
          "a number that is not negative");
}

void Forum::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (losses.size() == 0) return;
  if (losses.task_count == 1) return losses.values.front().backward();
  Trial trial(parameters);
  const VectorXd p = softmax(logits_.present(losses));
  if (step_reports()) make_report(losses, parameters, p);
  const TaskLosses validation = validation_losses(options_.validation, losses, "FORUM");
  if (validation.size() == 0)
    throw Error("FORUM: the validation batch has no label of any task, so there is no objective");
  const Rows upper = task_gradients(validation, trial.parameters());

  // grad q: its part for theta, and for a by what the inner descent has gained.
  const auto lower = gradient(losses, p, trial.parameters(), Graph::free);
  const VectorXd before = finite_values(losses, "");
  trial.restore();
  trial.move(lower, -options_.inner_lr);
  for (int64_t k = 1; k < options_.inner_steps; ++k)
    trial.move(gradient(again(losses, "FORUM"), p, trial.parameters(), Graph::free),
               -options_.inner_lr);
  VectorXd after;
  {
    const torch::NoGradGuard no_grad;
    after = finite_values(again(losses, "FORUM"), "after the inner steps");
  }
  const VectorXd of_logits = through_softmax(p, before - after);

  const MatrixXd products_of_rows = gramian(upper);
  const VectorXd scale =
      factors(options_.scale, products_of_rows.diagonal().cwiseMax(0.0).cwiseSqrt());
  const VectorXd along = scale.cwiseProduct(products(upper, lower));
  const double squared = product(lower, lower) + of_logits.squaredNorm();
  const VectorXd shares = smoothed(
      validation,
      solvers::constrained_min_norm(scale.asDiagonal() * products_of_rows * scale.asDiagonal(),
                                    along, squared, options_.rho * squared)
          .weights);
  const double nu = squared > 0 ? std::max(0.0, options_.rho - shares.dot(along) / squared) : 0.0;

  logits_.descend(losses, nu * of_logits);
  std::vector<Tensor> direction = weighted_sum(upper, scale.cwiseProduct(shares));
  for (size_t i = 0; i < direction.size(); ++i) {
    if (!lower[i].defined()) continue;
    direction[i] = direction[i].defined() ? direction[i].add(lower[i], nu) : lower[i] * nu;
  }
  accumulate(trial.parameters(), direction);
}

VectorXd Forum::smoothed(const TaskLosses& validation, const VectorXd& shares) {
  size_to(shares_, validation.task_count, 1.0 / static_cast<double>(validation.task_count),
          "the shares of FORUM");
  // Of absent tasks the shares stay; the present ones share what is theirs.
  const VectorXd kept = shares_(validation.tasks);
  const double part = kept.sum();
  if (!(part > 0)) return shares;
  const double rate = std::pow(static_cast<double>(epoch_), -0.75);
  VectorXd now = kept / part + rate * (shares - kept / part);
  shares_(validation.tasks) = part * now;
  return now;
}

NamedTensors Forum::state_dict() const {
  NamedTensors state = logits_.state_dict();
  state.insert("shares", to_tensor(shares_));
  state.insert("epoch", torch::tensor(epoch_, torch::kLong));
  return state;
}

void Forum::load_state_dict(const NamedTensors& state) {
  logits_.load_state_dict(state);
  shares_ = to_vector(state_entry(state, "shares"));
  epoch_ = state_entry(state, "epoch").item<int64_t>();
}

}  // namespace mtl
