#include <algorithm>
#include <cmath>
#include <numeric>

#include "../by_task.hpp"
#include "mtl/combine/gradients/gradvac.hpp"
#include "mtl/combine/gradients/pcd.hpp"
#include "mtl/combine/gradients/pcgrad.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/spectrum.hpp"
#include "mtl/core/random.hpp"
#include "shared_options.hpp"

// The combiners that take conflicts one pair of tasks, or one priority, after the other.

namespace mtl {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

}  // namespace

void RowOrders::next(int64_t row, int64_t rows, std::vector<int64_t>& order) {
  if (own_) {
    order = own_(row, rows);
    std::vector<char> seen(static_cast<size_t>(rows), 0);
    for (int64_t j : order)
      if (j < 0 || j >= rows || seen[static_cast<size_t>(j)]++)
        throw Error("the order of row {} is no permutation of 0..{}", row, rows - 1);
    return;
  }
  order.resize(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  for (size_t k = order.size(); k > 1; --k)  // Fisher and Yates
    std::swap(order[k - 1], order[mix_seed(seed_, drawn_++) % k]);
}

NamedTensors RowOrders::state_dict() const {
  NamedTensors state;
  state.insert("draws", torch::tensor({static_cast<int64_t>(seed_), static_cast<int64_t>(drawn_)}));
  return state;
}

void RowOrders::load_state_dict(const NamedTensors& state) {
  const Tensor draws = state_entry(state, "draws").to(torch::kCPU, torch::kLong);
  if (draws.numel() != 2)
    throw Error("\"draws\" has {} entries, expected a seed and a count", draws.numel());
  seed_ = static_cast<uint64_t>(draws[0].item<int64_t>());
  drawn_ = static_cast<uint64_t>(draws[1].item<int64_t>());
}

PcGrad::PcGrad(const Options& options)
    : GradientCombiner(shared_options(options)), draws_(options.seed, options.order) {}

VectorXd PcGrad::weights(const MatrixXd& gramian) {
  // v = J'x is carried as its weights x and its products Gx with the rows: O(T) for each change.
  const Eigen::Index n = gramian.rows();
  VectorXd sum = VectorXd::Zero(n), x(n), products(n);
  std::vector<int64_t> order;
  for (Eigen::Index i = 0; i < n; ++i) {
    x.setZero();
    x[i] = 1;
    products = gramian.col(i);
    draws_.next(i, n, order);
    for (int64_t j : order) {
      if (j == i || products[j] >= 0) continue;
      const double step = products[j] / gramian(j, j);
      x[j] -= step;
      products -= step * gramian.col(j);
    }
    sum += x;
  }
  return sum;
}

GradVac::GradVac(const Options& options)
    : GradientCombiner(shared_options(options)),
      beta_(options.beta),
      groups_(options.groups),
      draws_(options.seed, options.order) {
  require(beta_ >= 0 && beta_ <= 1, "GradVac", "beta", beta_, "a number in [0, 1]");
}

VectorXd GradVac::weights(const MatrixXd& gramian) {
  const Eigen::Index n = gramian.rows();
  const int64_t tasks = step().task_count;
  const auto task = registry_indices(step(), active());
  if (phi_.size() <= group_) phi_.resize(group_ + 1);
  MatrixXd& phi = phi_[group_];
  if (phi.size() == 0) phi.setZero(tasks, tasks);
  if (phi.rows() != tasks)
    throw Error("GradVac keeps cosines of {} tasks, but there are {}", phi.rows(), tasks);

  // Rows in coordinates of their span: a bent gradient may all but vanish, and its length would be
  // lost in x'Gx.
  const auto spectrum = solvers::spectrum(gramian);
  const MatrixXd rows = spectrum.values.cwiseSqrt().asDiagonal() * spectrum.vectors.transpose();
  constexpr double kEpsilon = 1e-8;  // of the paper's code; it has one in both quotients
  const VectorXd lengths = rows.colwise().norm();
  VectorXd sum = VectorXd::Zero(n), x(n), v(rows.rows());
  std::vector<int64_t> order;
  for (Eigen::Index i = 0; i < n; ++i) {
    x.setZero();
    x[i] = 1;
    v = rows.col(i);
    draws_.next(i, n, order);
    for (int64_t j : order) {
      if (j == i) continue;
      const double length = v.norm();
      const double cosine =
          std::clamp(v.dot(rows.col(j)) / (length * lengths[j] + kEpsilon), -1.0, 1.0);
      double& target = phi(task[static_cast<size_t>(i)], task[static_cast<size_t>(j)]);
      if (cosine < target) {
        const double sine = std::sqrt(1 - target * target);
        const double step = length * (target * std::sqrt(1 - cosine * cosine) - cosine * sine) /
                            (lengths[j] * sine + kEpsilon);
        x[j] += step;
        v += step * rows.col(j);
      }
      target = (1 - beta_) * target + beta_ * cosine;
    }
    sum += x;
  }
  return sum;
}

void GradVac::backward(const TaskLosses& losses, const Parameters& parameters) {
  group_ = 0;
  if (groups_ == Groups::whole) return GradientCombiner::backward(losses, parameters);
  if (losses.size() == 0) return;
  begin(losses, parameters);
  const auto& columns = engine().columns();
  mtl::Groups groups;
  std::vector<char> grouped(columns.size(), 0);
  if (groups_ == Groups::layer && gradient_options_.at == GradientSite::shared_parameters) {
    for (const auto& layer : parameters.layers) {
      std::vector<int64_t> group;
      for (const Tensor& parameter : layer)
        for (size_t p = 0; p < columns.size(); ++p)
          if (columns[p].is_same(parameter) && !grouped[p]++)
            group.push_back(static_cast<int64_t>(p));
      if (!group.empty()) groups.push_back(std::move(group));
    }
  }
  for (size_t p = 0; p < columns.size(); ++p)
    if (!grouped[p]) groups.push_back({static_cast<int64_t>(p)});
  const auto gramians = engine().gramians(groups);
  MatrixXd by_group(losses.size(), static_cast<Eigen::Index>(groups.size()));
  for (group_ = 0; group_ < groups.size(); ++group_)
    by_group.col(static_cast<Eigen::Index>(group_)) = solve(gramians[group_]);
  group_ = 0;
  if (step_reports()) make_report(step(), engine().gramian(), by_group.rowwise().mean());
  engine().write_direction(engine().weighted_sum(groups, by_group), VectorXd::Ones(losses.size()));
}

NamedTensors GradVac::state_dict() const {
  NamedTensors state = draws_.state_dict();
  for (size_t g = 0; g < phi_.size(); ++g)
    state.insert(
        "phi." + std::to_string(g),
        to_tensor(phi_[g].reshaped()).reshape({phi_[g].cols(), phi_[g].rows()}).t().contiguous());
  return state;
}

void GradVac::load_state_dict(const NamedTensors& state) {
  draws_.load_state_dict(state);
  phi_.clear();
  for (size_t g = 0; state.contains("phi." + std::to_string(g)); ++g) {
    const Tensor& phi = state_entry(state, "phi." + std::to_string(g));
    if (phi.dim() != 2 || phi.size(0) != phi.size(1))
      throw Error("phi.{} is {}, expected [T, T]", g, shape_text(phi));
    const VectorXd values = to_vector(phi.t());
    phi_.push_back(values.reshaped(phi.size(0), phi.size(1)));
  }
}

Pcd::Pcd(const Options& options) : GradientCombiner(shared_options(options)), options_(options) {
  require(options.tau >= 0 && options.tau <= 1, "PCD", "tau", options.tau, "a number in [0, 1]");
  require(options.beta >= 0 && options.beta < 1, "PCD", "beta", options.beta, "a number in [0, 1)");
  require(options.eps >= 0, "PCD", "eps", options.eps, "a number that is not negative");
}

VectorXd Pcd::weights(const MatrixXd& gramian) {
  const Eigen::Index n = gramian.rows();
  size_to(mean_square_, step().task_count, 0, "the running mean of PCD");
  size_to(steps_, step().task_count, 0, "the steps of PCD");
  const auto task = registry_indices(step(), active());
  VectorXd scales(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const int64_t t = task[static_cast<size_t>(i)];
    mean_square_[t] = options_.beta * mean_square_[t] + (1 - options_.beta) * gramian(i, i);
    steps_[t] += 1;
    const double root =
        std::sqrt(mean_square_[t] / (1 - std::pow(options_.beta, steps_[t])) + options_.eps);
    scales[i] = root > 0 ? 1 / root : 0;
  }
  VectorXd weights = VectorXd::Zero(n);
  if (!(gramian(0, 0) > 0)) {
    stationary_ = true;
    return weights;
  }
  // d~ = g~_1 + x with x the shortest that brings every product up to what is asked.
  const MatrixXd g = scales.asDiagonal() * gramian * scales.asDiagonal();
  weights[0] = 1;
  if (n > 1) {
    const VectorXd asked = options_.tau * g.diagonal().tail(n - 1) - g.col(0).tail(n - 1);
    if (const auto u = solvers::shortest_with_products(g.bottomRightCorner(n - 1, n - 1), asked))
      weights.tail(n - 1) = *u;
  }
  const double squared = weights.dot(g * weights);
  const double terms = weights.dot(g.diagonal().cwiseSqrt());
  stationary_ = squared <= 4 * static_cast<double>(n) * 2.2e-16 * terms * terms;
  if (stationary_) return VectorXd::Zero(n);
  return weights.cwiseProduct(scales) * std::sqrt(gramian(0, 0) / squared);
}

NamedTensors Pcd::state_dict() const {
  NamedTensors state;
  state.insert("mean_square", to_tensor(mean_square_));
  state.insert("steps", to_tensor(steps_));
  return state;
}

void Pcd::load_state_dict(const NamedTensors& state) {
  mean_square_ = to_vector(state_entry(state, "mean_square"));
  steps_ = to_vector(state_entry(state, "steps"));
}

}  // namespace mtl
