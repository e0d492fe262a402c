#include "mtl/combine/solvers/bargain.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "constants.hpp"
#include "dense.hpp"
#include "unit_rows.hpp"

namespace mtl::solvers {
namespace {

using Eigen::ArrayXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// (C + diag(d))^-1 r by Cholesky; `work` holds the factor. False where the sum is not positive
// definite, which only rounding of an almost singular C can cause.
bool solve_shifted(const MatrixXd& c, const ArrayXd& d, MatrixXd& work, VectorXd& r) {
  const int n = static_cast<int>(c.rows());
  work = c;
  work.diagonal().array() += d;
  if (detail::cholesky(work.data(), n, n, 0.0) < n) return false;
  detail::cholesky_solve(work.data(), n, n, r.data());
  return true;
}

// Minimiser over t in (0, longest) of  .5 a t^2 + b t - sum log(1 + t y): a few Newton steps on the
// derivative, kept inside the domain. The start is the step that self-concordance guarantees.
double line_search(double a, double b, const ArrayXd& y, double start) {
  const double longest = y.minCoeff() < 0 ? -1.0 / y.minCoeff() : kInfinity;
  double t = start;
  for (int i = 0; i < 8; ++i) {
    const ArrayXd ratio = y / (1.0 + t * y);
    const double slope = a * t + b - ratio.sum(), curvature = a + ratio.square().sum();
    const double next = t - slope / curvature;
    const double previous = t;
    t = next >= longest ? 0.5 * (t + longest) : next <= 0 ? 0.5 * t : next;
    if (std::abs(t - previous) <= 1e-3 * t) break;
  }
  return t;
}

// x > 0 with C x = 1/x for unit rows. Empty where the rows are stationary: x then grows without
// bound along a null vector of C, which the noise of C x shows.
VectorXd nash_of_unit_rows(const MatrixXd& c) {
  const int n = static_cast<int>(c.rows());
  if (n == 2) {
    const double squared = 1.0 + c(0, 1);
    if (squared <= detail::stationary_tolerance(n)) return {};
    return VectorXd::Constant(2, 1.0 / std::sqrt(squared));
  }
  // On the ray of all ones, the best point.
  VectorXd x = VectorXd::Constant(n, std::sqrt(n / std::max(c.sum(), 1e-3)));
  VectorXd step(n), cx(n);
  MatrixXd work;
  constexpr int kMostSteps = 500;  // a run takes under 20; stationary rows about 30
  for (int steps = 0; steps < kMostSteps; ++steps) {
    cx.noalias() = c * x;
    const double length = x.sum();
    if (x.dot(cx) <= detail::stationary_tolerance(n) * length * length) return {};
    const VectorXd gradient = cx - x.cwiseInverse();
    step = -gradient;
    if (!solve_shifted(c, x.array().square().inverse(), work, step)) return {};
    const double decrement = std::sqrt(std::max(0.0, -gradient.dot(step)));
    const double noise = kEpsilon * length * x.norm();
    double t = 1.0;
    if (decrement > 0.25)
      t = line_search(step.dot(c * step), step.dot(cx), step.array() / x.array(),
                      1.0 / (1.0 + decrement));
    x += t * step;
    // One more step from a decrement of 1e-6 would leave 1e-12: quadratic convergence.
    if (t == 1.0 && decrement <= std::max(1e-6, 2.0 * noise)) return x;
  }
  throw Error("Nash bargaining of {} rows: no solution after {} Newton steps", n, kMostSteps);
}

// The one u > 0 with  u + rest = q u^-beta, by bisection of its logarithm.
double one_coordinate(double rest, double log_q, double beta) {
  const auto excess = [&](double log_u) {
    return std::exp(log_u) + rest - std::exp(log_q - beta * log_u);
  };
  double low = log_q / (1.0 + beta), high = low;  // the root where rest = 0
  for (double width = 1; excess(low) > 0; width *= 2) low -= width;
  for (double width = 1; excess(high) < 0; width *= 2) high += width;
  while (high - low > 1e-13 * (1.0 + std::abs(high))) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    (excess(middle) > 0 ? high : low) = middle;
  }
  return std::exp(0.5 * (low + high));
}

// A point of the primal-dual Newton method for (C u)_i = q_i u_i^-beta. The products s = C u are
// variables of their own: where s_i is far below the terms it is summed from it is still known,
// from u, to full precision.
struct FairPoint {
  ArrayXd u, s;
  ArrayXd missing;   // C u - s, zero where that is only rounding, which must not move u
  ArrayXd residual;  // log q - beta log u - log s
  double size = 0;   // of both, s taken as the unit of the first
};

// u > 0 with (C u)_i = q_i u_i^-beta, the minimiser of a convex function, from Nash's answer.
class FairSolver {
 public:
  FairSolver(const MatrixXd& c, const ArrayXd& log_q, double beta)
      : c_(c),
        magnitude_(c.cwiseAbs()),
        log_q_(log_q),
        beta_(beta),
        n_(static_cast<int>(c.rows())) {}

  VectorXd solve(const VectorXd& nash) {
    ArrayXd u = nash.array(), s = u.inverse();
    const double shift = std::exp((log_q_ - beta_ * u.log() - s.log()).mean() / (1.0 + beta_));
    FairPoint point = at(u * shift, s * shift);
    // Newton as a rule. Lengths of the rows that span tens of decades can hold it up; coordinate
    // descent, slow but blind to scales, then carries it to where Newton converges.
    int sweeps = 8;
    for (int rounds = 0; rounds < 14; ++rounds, sweeps *= 2) {
      if (newton(point)) return point.u.matrix();
      descend(point, sweeps);
    }
    throw Error("FairGrad of {} rows, alpha {}: no solution after {} sweeps", n_, 1.0 / beta_,
                sweeps);
  }

 private:
  FairPoint at(const ArrayXd& u, const ArrayXd& s) const {
    FairPoint point{u, s, (c_ * u.matrix()).array() - s, log_q_ - beta_ * u.log() - s.log()};
    const ArrayXd noise = 4.0 * n_ * kEpsilon * ((magnitude_ * u.matrix()).array() + s);
    point.missing = (point.missing.abs() <= noise).select(0.0, point.missing);
    point.size = std::hypot(point.residual.matrix().norm(), (point.missing / s).matrix().norm());
    return point;
  }

  bool newton(FairPoint& point) {
    MatrixXd work;
    double last_change = kInfinity;
    for (int steps = 0; steps < 100; ++steps) {
      VectorXd du = (point.s * point.residual - point.missing).matrix();
      if (!solve_shifted(c_, beta_ * point.s / point.u, work, du)) return false;
      const ArrayXd relative_u = du.array() / point.u;
      const ArrayXd relative_s = point.residual - beta_ * relative_u;
      const double change = std::max(relative_u.abs().maxCoeff(), relative_s.abs().maxCoeff());
      const double steepest = std::max(-relative_u.minCoeff(), -relative_s.minCoeff());
      if (!std::isfinite(change)) return false;
      double t = steepest > 0.9 ? 0.9 / steepest : 1.0;
      FairPoint next;
      while (true) {
        next = at(point.u * (1.0 + t * relative_u), point.s * (1.0 + t * relative_s));
        if (next.size <= (1.0 - 0.1 * t) * point.size || change <= 1e-4) break;
        t *= 0.5;
        if (t < 1e-4) return false;
      }
      point = std::move(next);
      // Newton's change squares from step to step until it meets rounding.
      if (change <= 1e-9 || (change <= 1e-4 && change >= 0.5 * last_change)) return true;
      last_change = change;
    }
    return false;
  }

  void descend(FairPoint& point, int sweeps) const {
    VectorXd u = point.u.matrix();
    for (int sweep = 0; sweep < sweeps; ++sweep)
      for (int i = 0; i < n_; ++i) u[i] = one_coordinate(c_.col(i).dot(u) - u[i], log_q_[i], beta_);
    point = at(u.array(), (log_q_ - beta_ * u.array().log()).exp());
  }

  const MatrixXd& c_;
  MatrixXd magnitude_;
  ArrayXd log_q_;
  double beta_;
  int n_;
};

}  // namespace

Bargain nash(const MatrixXd& gramian) { return fairgrad(gramian, 1.0); }

Bargain fairgrad(const MatrixXd& gramian, double alpha) {
  if (!(alpha > 0) || !std::isfinite(alpha))
    throw Error("FairGrad: alpha is {}, expected a positive number", alpha);
  const auto unit = detail::unit_rows(gramian);
  Bargain bargain{VectorXd::Zero(unit.total), unit.size() == 0};
  if (unit.size() == 0) return bargain;
  VectorXd x = nash_of_unit_rows(unit.cosines);
  if (x.size() > 0 && alpha != 1.0) {
    // With u = |g| w the equation is  C u = |g|^(beta-1) u^-beta; a common factor k of all norms
    // only multiplies u by k^((beta-1)/(beta+1)).
    const double beta = 1.0 / alpha;
    const ArrayXd logs = unit.norms.array().log();
    const double middle = logs.mean();
    x = FairSolver(unit.cosines, (beta - 1.0) * (logs - middle), beta).solve(x) *
        std::exp(middle * (beta - 1.0) / (beta + 1.0));
  }
  bargain.stationary = x.size() == 0;
  if (!bargain.stationary) bargain.weights = unit.scatter(x.cwiseQuotient(unit.norms));
  return bargain;
}

}  // namespace mtl::solvers
