#include "mtl/combine/solvers/cagrad.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "constants.hpp"
#include "dense.hpp"
#include "growing_cholesky.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "unit_rows.hpp"

// With d = g0 + J'z the optimal z >= 0 belongs to a level theta = min_t g_t'd: it minimises
// .5 z'Gz - (theta 1 - G 1/T)'z. As theta grows from the worst task's g_t'g0 the minimiser moves
// on straight pieces and |J'z| grows from 0; the answer is where |J'z| = c |g0|.

namespace mtl::solvers {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

class Path {
 public:
  // Unit rows: C [n,n]; a = 1/norms, b = C norms / n, so that the level of row j is b_j / a_j.
  Path(const MatrixXd& c, const VectorXd& a, const VectorXd& b)
      : c_(c),
        a_(a),
        b_(b),
        n_(static_cast<int>(c.rows())),
        factor_(c),
        inside_(n_, 0),
        p_(n_),
        q_(n_),
        row_(n_),
        rate_(n_),
        offset_(n_) {}

  // z [n] >= 0 with |J'z| = length; empty where |J'z| never gets there.
  VectorXd reach(double length);

 private:
  struct Event {
    double level = kInfinity;
    int enter = -1, leave = -1;
  };

  void refresh();
  Event next_event(double level) const;
  double level_of(double length) const;
  bool enter(int variable, double level);

  const MatrixXd& c_;
  const VectorXd &a_, &b_;
  int n_;
  detail::GrowingCholesky factor_;
  std::vector<char> inside_;
  VectorXd p_, q_;                // on the support, z = level p - q
  VectorXd row_, rate_, offset_;  // slack of each row: level rate + offset
};

void Path::refresh() {
  const auto& support = factor_.support();
  const int k = factor_.size();
  for (int i = 0; i < k; ++i) {
    p_[i] = a_[support[i]];
    q_[i] = b_[support[i]];
  }
  factor_.solve(p_.data());
  factor_.solve(q_.data());
  rate_ = -a_;
  offset_ = b_;
  detail::add_columns(c_.data(), n_, n_, support.data(), p_.data(), k, 1.0, rate_.data());
  detail::add_columns(c_.data(), n_, n_, support.data(), q_.data(), k, -1.0, offset_.data());
}

Path::Event Path::next_event(double level) const {
  Event event;
  const int k = factor_.size();
  double size = 0;
  for (int i = 0; i < k; ++i) size = std::max(size, std::abs(p_[i]));
  for (int j = 0; j < n_; ++j) {
    if (inside_[j] || rate_[j] >= -16.0 * n_ * kEpsilon * (size + a_[j])) continue;
    const double at = std::max(level, offset_[j] / -rate_[j]);
    if (at < event.level) event = {at, j, -1};
  }
  for (int i = 0; i < k; ++i) {
    if (p_[i] >= -16.0 * n_ * kEpsilon * size) continue;
    const double at = std::max(level, q_[i] / p_[i]);
    if (at < event.level) event = {at, -1, i};
  }
  return event;
}

// |J'z|^2 = A level^2 - 2 B level + Q = length^2, the root at which z is positive.
double Path::level_of(double length) const {
  const auto& support = factor_.support();
  double aa = 0, bb = 0, qq = 0;
  for (int i = 0; i < factor_.size(); ++i) {
    aa += a_[support[i]] * p_[i];
    bb += b_[support[i]] * p_[i];
    qq += b_[support[i]] * q_[i];
  }
  return aa > 0 ? (bb + std::sqrt(std::max(0.0, bb * bb - aa * (qq - length * length)))) / aa
                : kInfinity;
}

// Adds a row whose slack has reached zero. One that depends on the support takes the place of
// another; false where there is none to replace: the rows then cancel, and z is unbounded.
bool Path::enter(int variable, double level) {
  const int k = factor_.size();
  const double pivot = factor_.project(variable, row_.data());
  if (pivot > 8.0 * n_ * kEpsilon) {
    factor_.append(variable, row_.data(), pivot);
    inside_[variable] = 1;
    return true;
  }
  factor_.back_substitute(row_.data());
  const auto& support = factor_.support();
  int leave = -1;
  double bound = kInfinity;
  for (int i = 0; i < k; ++i) {
    if (row_[i] <= std::sqrt(kEpsilon)) continue;
    const double at = std::max(0.0, level * p_[i] - q_[i]) / row_[i];
    if (at < bound) {
      bound = at;
      leave = i;
    }
  }
  if (leave < 0) return false;
  inside_[support[leave]] = 0;
  factor_.remove(leave);
  return enter(variable, level);
}

VectorXd Path::reach(double length) {
  double level = -kInfinity;
  const int most_events = 200 + 50 * n_;
  for (int events = 0; events < most_events; ++events) {
    refresh();
    const Event event = next_event(level);
    const auto& support = factor_.support();
    if (const double goal = level_of(length); factor_.size() > 0 && goal <= event.level) {
      VectorXd z = VectorXd::Zero(n_);
      for (int i = 0; i < factor_.size(); ++i)
        z[support[i]] = std::max(0.0, std::max(goal, level) * p_[i] - q_[i]);
      return z;
    }
    level = event.level;
    if (event.leave >= 0) {
      inside_[support[event.leave]] = 0;
      factor_.remove(event.leave);
    } else if (event.enter < 0 || !enter(event.enter, level)) {
      return {};
    }
  }
  throw Error("CAGrad of {} rows: no solution after {} changes of the support", n_, most_events);
}

}  // namespace

Bargain cagrad(const MatrixXd& gramian, double c) {
  if (!(c >= 0) || !std::isfinite(c))
    throw Error("CAGrad: c is {}, expected a number that is not negative", c);
  const auto unit = detail::unit_rows(gramian);
  const int n = unit.size();
  Bargain bargain{VectorXd::Zero(unit.total), n == 0};
  if (n == 0) return bargain;
  bargain.stationary = c >= 1.0 && min_norm_point(unit.cosines).stationary;
  if (bargain.stationary) return bargain;

  const double largest = unit.norms.maxCoeff();
  const VectorXd s = unit.norms / largest, a = s.cwiseInverse(), b = unit.cosines * s / n;
  const double radius = c * std::sqrt(std::max(0.0, s.dot(b) / n));  // c |g0|
  VectorXd z = VectorXd::Zero(n);
  if (radius > 0) z = Path(unit.cosines, a, b).reach(radius);
  bargain.stationary = z.size() == 0;
  if (!bargain.stationary)
    bargain.weights = unit.scatter((z.cwiseProduct(a).array() + 1.0 / n).matrix());
  return bargain;
}

}  // namespace mtl::solvers
