#include <algorithm>
#include <cmath>
#include <limits>

#include "../by_task.hpp"
#include "mtl/combine/gradients/db_mtl.hpp"
#include "mtl/combine/gradients/excess_mtl.hpp"
#include "mtl/combine/gradients/graddrop.hpp"
#include "mtl/combine/gradients/moco.hpp"
#include "mtl/combine/gradients/trimmed_mean.hpp"
#include "mtl/core/random.hpp"
#include "shared_options.hpp"

// The combiners that need the rows themselves. Where no task reaches a parameter its part of the
// direction stays undefined, as no gradient is due to it.

namespace mtl {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// The rows of one parameter, an undefined one as zeros; empty where all are undefined.
std::vector<Tensor> dense(const std::vector<Tensor>& rows) {
  std::vector<Tensor> all;
  const auto first =
      std::find_if(rows.begin(), rows.end(), [](const Tensor& r) { return r.defined(); });
  if (first == rows.end()) return all;
  for (const Tensor& row : rows)
    all.push_back(row.defined() ? row.detach() : torch::zeros_like(*first));
  return all;
}

VectorXd of_present(const VectorXd& by_task, const TaskLosses& step) { return by_task(step.tasks); }

// softmax over the present tasks of a distribution over all: their part of it is dealt anew.
void deal(VectorXd& by_task, const TaskLosses& step, const VectorXd& logits) {
  const double part = of_present(by_task, step).sum();
  const VectorXd e = (logits.array() - logits.maxCoeff()).exp();
  by_task(step.tasks) = part / e.sum() * e;
}

Direction weighted(const Rows& rows, const VectorXd& weights, const VectorXd& heads) {
  return {weighted_sum(rows, weights), heads};
}

}  // namespace

GradDrop::GradDrop(Options options)
    : DirectionCombiner(shared_options(options)),
      options_(std::move(options)),
      generator_(make_generator(options_.seed)) {
  require(options_.leak >= 0 && options_.leak <= 1, "GradDrop", "leak", options_.leak,
          "a number in [0, 1]");
}

Direction GradDrop::direction(const Rows& rows) {
  Direction result;
  result.head_weights = VectorXd::Ones(step().size());
  const bool at_representation =
      gradient_options_.at == GradientSite::representation && step().representation.defined();
  for (const auto& of_parameter : rows) {
    const auto all = dense(of_parameter);
    if (all.empty()) {
      result.by_parameter.emplace_back();
      continue;
    }
    Tensor signs = torch::stack(all);  // [T, ...]
    if (at_representation) signs = signs * step().representation.detach().sign();
    const Tensor size = signs.abs().sum(0);
    const Tensor odds =
        torch::where(size > 0, 0.5 * (1 + signs.sum(0) / size), torch::full_like(size, 0.5));
    const Tensor draw = options_.uniforms ? options_.uniforms(odds).to(odds.options())
                                          : torch::rand(odds.sizes(), generator_,
                                                        odds.options().device(torch::kCPU))
                                                .to(odds.device());
    const Tensor keep = ((odds > draw) & (signs > 0)) | ((odds < draw) & (signs < 0));
    const Tensor passed = options_.leak + (1 - options_.leak) * keep.to(odds.scalar_type());
    result.by_parameter.push_back((torch::stack(all) * passed).sum(0));
  }
  return result;
}

NamedTensors GradDrop::state_dict() const {
  NamedTensors state;
  state.insert("generator", generator_state(generator_));
  return state;
}

void GradDrop::load_state_dict(const NamedTensors& state) {
  set_generator_state(generator_, state_entry(state, "generator"));
}

TrimmedMean::TrimmedMean(const Options& options)
    : DirectionCombiner(shared_options(options)), trim_(options.trim) {
  require(trim_ >= 0, "trimmed mean", "trim", static_cast<double>(trim_), "0 or more");
}

Direction TrimmedMean::direction(const Rows& rows) {
  const int64_t n = step().size();
  if (n <= 2 * trim_)
    throw Error("trimmed mean: {} tasks, expected more than {} for trim = {}", n, 2 * trim_, trim_);
  Direction result;
  result.head_weights = VectorXd::Ones(n);
  for (const auto& of_parameter : rows) {
    const auto all = dense(of_parameter);
    result.by_parameter.push_back(
        all.empty()
            ? Tensor()
            : std::get<0>(torch::stack(all).sort(0)).narrow(0, trim_, n - 2 * trim_).mean(0));
  }
  return result;
}

ExcessMtl::ExcessMtl(const Options& options)
    : DirectionCombiner(shared_options(options)), step_size_(options.step_size) {
  require(step_size_ > 0, "ExcessMTL", "step_size", step_size_, "a positive number");
}

Direction ExcessMtl::direction(const Rows& rows) {
  const int64_t n = step().size();
  size_to(weights_, step().task_count, 1.0 / static_cast<double>(step().task_count),
          "the weights of ExcessMTL");
  size_to(initial_, step().task_count, 0, "the first excess of ExcessMTL");
  VectorXd excess = VectorXd::Zero(n);
  for (size_t p = 0; p < rows.size(); ++p)
    for (int64_t i = 0; i < n; ++i) {
      const Tensor& row = rows[p][static_cast<size_t>(i)];
      if (!row.defined()) continue;
      const Tensor squared = row.detach().square();
      Tensor& sum = squares_.at(p, step().tasks[static_cast<size_t>(i)], row);
      sum.add_(squared);
      excess[i] += (squared / (sum + 1e-7).sqrt()).sum(torch::kDouble).item<double>();
    }
  VectorXd logits = of_present(weights_, step()).array().log();
  for (int64_t i = 0; i < n; ++i) {
    double& first = initial_[step().tasks[static_cast<size_t>(i)]];
    const double scaled = first > 0 ? excess[i] / (first + 1e-7) : excess[i];
    if (!(first > 0)) first = std::max(excess[i], std::numeric_limits<double>::min());
    logits[i] += step_size_ * scaled;
  }
  deal(weights_, step(), logits);
  const VectorXd w = of_present(weights_, step());
  return weighted(rows, w, w);
}

NamedTensors ExcessMtl::state_dict() const {
  NamedTensors state;
  state.insert("weights", to_tensor(weights_));
  state.insert("initial", to_tensor(initial_));
  squares_.save(state, "squares");
  return state;
}

void ExcessMtl::load_state_dict(const NamedTensors& state) {
  weights_ = to_vector(state_entry(state, "weights"));
  initial_ = to_vector(state_entry(state, "initial"));
  squares_.load(state, "squares");
}

MoCo::MoCo(const Options& options) : DirectionCombiner(shared_options(options)), options_(options) {
  require(options.beta > 0, "MoCo", "beta", options.beta, "a positive number");
  require(options.gamma >= 0, "MoCo", "gamma", options.gamma, "a number that is not negative");
  require(options.rho >= 0, "MoCo", "rho", options.rho, "a number that is not negative");
}

Direction MoCo::direction(const Rows& rows) {
  const int64_t n = step().size();
  size_to(weights_, step().task_count, 1.0 / static_cast<double>(step().task_count),
          "the weights of MoCo");
  size_to(steps_, step().task_count, 0, "the steps of MoCo");
  Rows means(rows.size());
  for (int64_t task : step().tasks) steps_[task] += 1;
  VectorXd factor = (norms(rows).array() + 1e-8).inverse();
  for (int64_t i = 0; i < n; ++i)
    if (const Tensor& loss = step().values[static_cast<size_t>(i)]; loss.defined())
      factor[i] *= loss.item<double>();
  for (size_t p = 0; p < rows.size(); ++p) {
    const auto all = dense(rows[p]);
    means[p].resize(static_cast<size_t>(n));
    for (size_t i = 0; i < all.size(); ++i) {
      const int64_t task = step().tasks[i];
      Tensor& mean = mean_.at(p, task, all[i]);
      mean.add_(all[i] * factor[static_cast<Eigen::Index>(i)] - mean,
                options_.beta * std::pow(steps_[task], -options_.beta_sigma));
      means[p][i] = mean;
    }
  }
  const double gamma =
      options_.gamma * std::pow(of_present(steps_, step()).maxCoeff(), -options_.gamma_sigma);
  const VectorXd w = of_present(weights_, step());
  deal(weights_, step(), w - gamma * (gramian(means) * w + options_.rho * w));
  const VectorXd next = of_present(weights_, step());
  return weighted(means, next, next);
}

NamedTensors MoCo::state_dict() const {
  NamedTensors state;
  state.insert("weights", to_tensor(weights_));
  state.insert("steps", to_tensor(steps_));
  mean_.save(state, "mean");
  return state;
}

void MoCo::load_state_dict(const NamedTensors& state) {
  weights_ = to_vector(state_entry(state, "weights"));
  steps_ = to_vector(state_entry(state, "steps"));
  mean_.load(state, "mean");
}

DbMtl::DbMtl(const Options& options)
    : DirectionCombiner(shared_options(options)), options_(options) {
  require(options.beta >= 0 && options.beta < 1, "DB-MTL", "beta", options.beta,
          "a number in [0, 1)");
}

void DbMtl::backward(const TaskLosses& losses, const Parameters& parameters) {
  TaskLosses logarithms = losses;
  for (Tensor& value : logarithms.values) value = torch::log(value + 1e-8);
  DirectionCombiner::backward(logarithms, parameters);
}

Direction DbMtl::direction(const Rows& rows) {
  const int64_t n = step().size();
  size_to(steps_, step().task_count, 0, "the steps of DB-MTL");
  for (int64_t task : step().tasks) steps_[task] += 1;
  Rows means(rows.size());
  for (size_t p = 0; p < rows.size(); ++p) {
    const auto all = dense(rows[p]);
    means[p].resize(static_cast<size_t>(n));
    for (size_t i = 0; i < all.size(); ++i) {
      const int64_t task = step().tasks[i];
      if (options_.beta == 0) {
        means[p][i] = all[i];
        continue;
      }
      Tensor& mean = mean_.at(p, task, all[i]);
      const double kept = options_.beta * std::pow(steps_[task], -options_.beta_sigma);
      mean.mul_(kept).add_(all[i], 1 - kept);
      means[p][i] = mean;
    }
  }
  const VectorXd lengths = norms(means);
  return weighted(means, lengths.maxCoeff() * (lengths.array() + 1e-8).inverse().matrix(),
                  VectorXd::Ones(n));
}

NamedTensors DbMtl::state_dict() const {
  NamedTensors state;
  state.insert("steps", to_tensor(steps_));
  mean_.save(state, "mean");
  return state;
}

void DbMtl::load_state_dict(const NamedTensors& state) {
  steps_ = to_vector(state_entry(state, "steps"));
  mean_.load(state, "mean");
}

}  // namespace mtl
