#include "mtl/evaluate/tuning/expected_improvement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "minimize.hpp"
#include "mtl/evaluate/tuning/gaussian_process.hpp"
#include "mtl/evaluate/tuning/random_search.hpp"

namespace mtl::evaluate {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

double density(double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); }
double lower_tail(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

// Below, density(z) + z lower_tail(z) loses its digits; a series takes over.
constexpr double far_below = -20;

/// log E[max(z - n, 0)] for a standard normal n, and what the improvement's derivatives by mean and
/// deviation are divided by it.
struct Improvement {
  double logarithm, by_mean, by_deviation;
};

Improvement improvement(double z) {
  if (z < far_below) {
    const double squared = z * z;
    return {-squared / 2 - std::log(2 * std::numbers::pi) / 2 - std::log(squared) +
                std::log1p(-3 / squared + 15 / (squared * squared)),
            -z, squared};
  }
  const double value = density(z) + z * lower_tail(z);
  return {std::log(value), lower_tail(z) / value, density(z) / value};
}

/// How the process sees a point: numbers as they lie in the unit cube, a choice as one dimension a
/// name.
VectorXd features(const SearchSpace& space, const std::vector<double>& values) {
  const std::vector<double> point = space.point_of(values);
  std::vector<double> all;
  for (size_t d = 0; d < values.size(); ++d) {
    const auto& choices = space.dimensions()[d].choices;
    if (choices.empty()) all.push_back(point[d]);
    for (size_t c = 0; c < choices.size(); ++c)
      all.push_back(static_cast<double>(c) == values[d] ? 1 : 0);
  }
  return Eigen::Map<const VectorXd>(all.data(), static_cast<Eigen::Index>(all.size()));
}

/// What was tried, and how it went: of mean 0 and deviation 1, lower being better.
struct Known {
  std::vector<std::vector<double>> values;
  MatrixXd points;  // their features
  VectorXd costs;
  double mean = 0, deviation = 1;  // what was taken off and divided by
};

/// The highest of the finite costs that the process is shown. One that ran away (a loss of 1e8
/// among losses around 1) would make all others one number, and the search blind; it is bad enough
/// at thirty times the distance of the best quarter.
double highest_shown(std::vector<double> costs) {
  std::sort(costs.begin(), costs.end());
  const double best = costs.front(), distance = costs[(costs.size() - 1) / 4] - best;
  constexpr double far = 30, rounding = 1e-9;
  if (!(distance > rounding * std::abs(best))) return costs.back();
  return std::min(costs.back(), best + far * distance);
}

Known known_of(const SearchState& state) {
  std::vector<VectorXd> points;
  std::vector<double> costs, finite;
  Known known;
  for (const TuningTrial& trial : state.trials) {
    if (trial.state == TrialState::running) continue;
    known.values.push_back(trial.values);
    points.push_back(features(state.space, trial.values));
    costs.push_back(evaluate_detail::cost(trial.score, state.better));
    if (std::isfinite(costs.back())) finite.push_back(costs.back());
  }
  if (finite.empty()) return known;
  const double worst = highest_shown(finite);
  known.points.resize(static_cast<Eigen::Index>(points.size()), points.front().size());
  known.costs.resize(known.points.rows());
  for (size_t i = 0; i < points.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    known.points.row(row) = points[i].transpose();
    known.costs[row] = std::min(costs[i], worst);
  }
  known.mean = known.costs.mean();
  known.costs.array() -= known.mean;
  const double deviation =
      std::sqrt(known.costs.squaredNorm() / static_cast<double>(known.costs.size()));
  if (deviation > 0) known.deviation = deviation;
  known.costs /= known.deviation;
  return known;
}

/// The process with the trials that still run, as if they ended where it expects them to.
GaussianProcess with_running(const GaussianProcess& process, Known& known,
                             const SearchState& state) {
  for (const TuningTrial& trial : state.trials) {
    if (trial.state != TrialState::running) continue;
    const VectorXd point = features(state.space, trial.values);
    const Eigen::Index n = known.points.rows();
    known.values.push_back(trial.values);
    known.points.conservativeResize(n + 1, Eigen::NoChange);
    known.costs.conservativeResize(n + 1);
    known.points.row(n) = point.transpose();
    known.costs[n] = process.predict(point).mean;
  }
  return {known.points, known.costs, process.kernel()};
}

/// Where numbers are free, the slope shows the way; whole numbers and choices stay.
std::vector<double> refined(const SearchSpace& space, const std::vector<double>& values,
                            const GaussianProcess& process, double best) {
  const VectorXd start = features(space, values);
  VectorXd low = start, high = start;
  std::vector<std::pair<size_t, Eigen::Index>> moving;  // dimension, place among the features
  Eigen::Index place = 0;
  for (size_t d = 0; d < space.size(); ++d) {
    const Dimension& dimension = space.dimensions()[d];
    if (!SearchSpace::count(dimension)) {
      low[place] = 0;
      high[place] = 1;
      moving.emplace_back(d, place);
    }
    place += std::max<Eigen::Index>(1, static_cast<Eigen::Index>(dimension.choices.size()));
  }
  if (moving.empty()) return values;
  const auto loss = [&](const VectorXd& point, VectorXd& gradient) {
    const auto slope = process.slope(point);
    gradient.setZero(point.size());
    if (!(slope.at.deviation > 0)) return std::numeric_limits<double>::infinity();
    const auto gain = improvement((best - slope.at.mean) / slope.at.deviation);
    gradient =
        (gain.by_mean * slope.mean - gain.by_deviation * slope.deviation) / slope.at.deviation;
    return -(std::log(slope.at.deviation) + gain.logarithm);
  };
  const VectorXd found = evaluate_detail::minimize_in_box(loss, start, low, high, 50);
  std::vector<double> result = values;
  for (const auto& [d, from] : moving)
    result[d] = SearchSpace::value_at(space.dimensions()[d], found[from]);
  return result;
}

/// A place beside another: numbers about a tenth of their scale away, every tenth choice new.
std::vector<double> beside(const SearchSpace& space, const std::vector<double>& values,
                           uint64_t seed) {
  std::vector<double> point = space.point_of(values);
  for (size_t d = 0; d < point.size(); ++d) {
    const double share = evaluate_detail::uniform(seed, 2 * d);
    if (space.dimensions()[d].choices.empty())
      point[d] += 0.05 * std::log((share + 1e-9) / (1 - share));
    else if (share < 0.1)
      point[d] = evaluate_detail::uniform(seed, 2 * d + 1);
  }
  return space.values_at(point);
}

}  // namespace

double log_expected_improvement(double mean, double deviation, double best) {
  if (!(deviation > 0)) return std::log(std::max(best - mean, 0.0));
  return std::log(deviation) + improvement((best - mean) / deviation).logarithm;
}

std::optional<Proposal> ExpectedImprovement::operator()(const SearchState& state) const {
  if (state.next < start) return SobolSearch{}(state);
  Known known = known_of(state);
  if (known.points.rows() < 2) return SobolSearch{}(state);
  const uint64_t seed = mix_seed(state.seed, static_cast<uint64_t>(state.next));
  const GaussianProcess process =
      with_running(GaussianProcess::fit(known.points, known.costs, {.seed = seed}), known, state);
  double best = std::numeric_limits<double>::infinity();
  size_t at = 0;
  for (Eigen::Index i = 0; i < known.points.rows(); ++i) {
    const double mean = process.predict(known.points.row(i).transpose()).mean;
    if (mean < best) best = mean, at = static_cast<size_t>(i);
  }

  struct Scored {
    double gain;
    std::vector<double> values;
  };
  const auto scored = [&](std::vector<double> values) {
    const auto prediction = process.predict(features(state.space, values));
    const double gain = log_expected_improvement(prediction.mean, prediction.deviation, best);
    return Scored{gain, std::move(values)};
  };
  const auto by_gain = [](const Scored& a, const Scored& b) { return a.gain > b.gain; };
  std::vector<Scored> tried;
  for (int64_t n = 0; n < candidates; ++n)
    tried.push_back(scored(state.space.values_at(
        sobol_point(static_cast<uint32_t>(n), static_cast<int64_t>(state.space.size()), seed))));
  for (int64_t n = 0; n < candidates / 10; ++n)
    tried.push_back(
        scored(beside(state.space, known.values[at], mix_seed(seed, static_cast<uint64_t>(n)))));
  std::stable_sort(tried.begin(), tried.end(), by_gain);
  constexpr size_t refine = 5;
  for (size_t n = 0; n < refine && n < static_cast<size_t>(candidates); ++n)
    tried.push_back(scored(refined(state.space, tried[n].values, process, best)));
  std::stable_sort(tried.begin(), tried.end(), by_gain);
  return Proposal{tried.front().values};
}

std::optional<Tuner::Best> expected_best(const Tuner& tuner) {
  const SearchState state = tuner.state();
  const Known known = known_of(state);
  if (known.points.rows() < 2) return {};
  const auto process = GaussianProcess::fit(known.points, known.costs, {.seed = state.seed});
  std::optional<Tuner::Best> best;
  double lowest = std::numeric_limits<double>::infinity();
  for (const TuningTrial& trial : state.trials) {
    if (trial.state != TrialState::finished) continue;
    const double mean = process.predict(features(state.space, trial.values)).mean;
    if (mean >= lowest) continue;
    lowest = mean;
    const double cost = known.mean + known.deviation * mean;
    best = {state.space.candidate(trial.trial, trial.values, trial.parent),
            state.better == Better::lower ? cost : -cost};
  }
  return best;
}

}  // namespace mtl::evaluate
