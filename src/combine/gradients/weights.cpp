#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../by_task.hpp"
#include "mtl/combine/gradients/aligned_mtl.hpp"
#include "mtl/combine/gradients/cagrad.hpp"
#include "mtl/combine/gradients/config.hpp"
#include "mtl/combine/gradients/dualproj.hpp"
#include "mtl/combine/gradients/fairgrad.hpp"
#include "mtl/combine/gradients/imtl_g.hpp"
#include "mtl/combine/gradients/krum.hpp"
#include "mtl/combine/gradients/mgda.hpp"
#include "mtl/combine/gradients/nash_mtl.hpp"
#include "mtl/combine/gradients/random_weights.hpp"
#include "mtl/combine/gradients/upgrad.hpp"
#include "mtl/combine/solvers/bargain.hpp"
#include "mtl/combine/solvers/cagrad.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/combine/solvers/spectrum.hpp"
#include "mtl/core/random.hpp"
#include "shared_options.hpp"

// The combiners whose weights are a function of G and nothing else.

namespace mtl {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

void check_preference(const std::vector<double>& preference, std::string_view combiner,
                      bool signed_) {
  for (double entry : preference)
    require(std::isfinite(entry) && (signed_ || entry >= 0), combiner, "a preference", entry,
            signed_ ? "a number" : "a number that is not negative");
}

double equal_share(const MatrixXd& gramian) { return 1.0 / static_cast<double>(gramian.rows()); }

}  // namespace

Mgda::Mgda(const Options& options)
    : GradientCombiner(shared_options(options)), scale_(options.scale) {}

VectorXd Mgda::weights(const MatrixXd& gramian) {
  VectorXd divisor = VectorXd::Ones(gramian.rows());
  if (scale_ == Scale::l2 || scale_ == Scale::loss_and_l2) divisor = gramian.diagonal().cwiseSqrt();
  if (scale_ == Scale::loss || scale_ == Scale::loss_and_l2) {
    for (Eigen::Index i = 0; i < divisor.size(); ++i) {
      const auto row = static_cast<size_t>(active()[static_cast<size_t>(i)]);
      const Tensor& loss = step().values[row];
      if (!loss.defined())
        throw Error("MGDA scaled by losses needs the losses, not gradients alone");
      const double value = loss.item<double>();
      if (!(value > 0))
        throw Error("task \"{}\": its loss is {}, but MGDA scaled by losses needs positive ones",
                    step().names[row], value);
      divisor[i] *= value;
    }
  }
  // A zero row stays zero, whatever its divisor.
  const VectorXd inverse = (divisor.array() > 0).select(divisor.cwiseInverse(), 1.0);
  const auto point = solvers::min_norm_point(inverse.asDiagonal() * gramian * inverse.asDiagonal());
  stationary_ = point.stationary;
  return point.weights;
}

CaGrad::CaGrad(const Options& options) : GradientCombiner(shared_options(options)), c_(options.c) {
  require(c_ >= 0 && std::isfinite(c_), "CAGrad", "c", c_, "a number that is not negative");
  factor_ = options.rescale == Rescale::by_square ? 1 / (1 + c_ * c_)
            : options.rescale == Rescale::by_sum  ? 1 / (1 + c_)
                                                  : 1;
}

VectorXd CaGrad::weights(const MatrixXd& gramian) {
  const auto found = solvers::cagrad(gramian, c_);
  stationary_ = found.stationary;
  return factor_ * found.weights;
}

ImtlG::ImtlG(const Options& options) : GradientCombiner(shared_options(options)) {}

VectorXd ImtlG::weights(const MatrixXd& gramian) {
  // Eigenvalues this far below the largest have lost their digits to the summation of G, and the
  // pseudo-inverse would divide by what is left.
  constexpr double kLeast = 1e-13;
  const double scale = gramian.diagonal().maxCoeff();
  const VectorXd v =
      solvers::pseudo_solve(gramian / scale, (gramian.diagonal() / scale).cwiseSqrt(), kLeast);
  const double sum = v.sum();
  if (std::abs(sum) <= 1e-12 * v.cwiseAbs().sum()) return VectorXd::Zero(v.size());
  return v / sum;
}

NashMtl::NashMtl(const Options& options)
    : GradientCombiner(shared_options(options)), max_norm_(options.max_norm) {
  require(max_norm_ >= 0 && std::isfinite(max_norm_), "Nash-MTL", "max_norm", max_norm_,
          "a positive length, or 0 for no limit");
}

VectorXd NashMtl::weights(const MatrixXd& gramian) {
  const auto found = solvers::nash(gramian);
  stationary_ = found.stationary;
  const double length = std::sqrt(static_cast<double>(gramian.rows()));  // of J'w, always
  return max_norm_ > 0 && length > max_norm_ ? VectorXd(max_norm_ / length * found.weights)
                                             : found.weights;
}

FairGrad::FairGrad(const Options& options)
    : GradientCombiner(shared_options(options)), alpha_(options.alpha) {
  require(alpha_ > 0 && std::isfinite(alpha_), "FairGrad", "alpha", alpha_, "a positive number");
}

VectorXd FairGrad::weights(const MatrixXd& gramian) {
  const auto found = solvers::fairgrad(gramian, alpha_);
  stationary_ = found.stationary;
  return found.weights;
}

AlignedMtl::AlignedMtl(const Options& options)
    : GradientCombiner(shared_options(options)),
      scale_(options.scale),
      preference_(options.preference) {
  check_preference(preference_, "Aligned-MTL", true);
}

VectorXd AlignedMtl::weights(const MatrixXd& gramian) {
  const auto spectrum = solvers::spectrum(gramian);
  const VectorXd& l = spectrum.values;
  if (l.size() == 0) {
    stationary_ = true;
    return VectorXd::Zero(gramian.rows());
  }
  const VectorXd preference =
      of_rows(preference_, step(), active(), equal_share(gramian), "the preference of Aligned-MTL");
  const double scale = scale_ == Scale::min      ? l[0]
                       : scale_ == Scale::median ? l[(l.size() - 1) / 2]
                                                 : l.mean();
  return spectrum.vectors * (spectrum.vectors.transpose() * preference)
                                .cwiseProduct((scale * l.cwiseInverse()).cwiseSqrt());
}

UpGrad::UpGrad(const Options& options)
    : GradientCombiner(shared_options(options)), preference_(options.preference) {
  check_preference(preference_, "UPGrad", false);
}

VectorXd UpGrad::weights(const MatrixXd& gramian) {
  return solvers::sum_of_dual_cone_projections(
      gramian,
      of_rows(preference_, step(), active(), equal_share(gramian), "the preference of UPGrad"));
}

DualProj::DualProj(const Options& options)
    : GradientCombiner(shared_options(options)), preference_(options.preference) {
  check_preference(preference_, "DualProj", false);
}

VectorXd DualProj::weights(const MatrixXd& gramian) {
  return solvers::project_on_dual_cone(
      gramian,
      of_rows(preference_, step(), active(), equal_share(gramian), "the preference of DualProj"));
}

ConFig::ConFig(const Options& options)
    : GradientCombiner(shared_options(options)), preference_(options.preference) {
  check_preference(preference_, "ConFIG", true);
}

VectorXd ConFig::weights(const MatrixXd& gramian) {
  // pinv(U) p = U' pinv(C) p with the cosines C = UU', so the direction is in the span of the rows.
  const VectorXd lengths = gramian.diagonal().cwiseSqrt(), inverse = lengths.cwiseInverse();
  MatrixXd cosines = inverse.asDiagonal() * gramian * inverse.asDiagonal();
  cosines.diagonal().setOnes();
  const VectorXd v = solvers::pseudo_solve(
      cosines, of_rows(preference_, step(), active(), 1.0, "the preference of ConFIG"));
  const VectorXd products = cosines * v;  // of the unit rows with U'v
  const double squared = v.dot(products);
  if (!(squared > 1e-20)) {
    // No direction has equal angles. Rows on one line: either unit vector of the line gives their
    // sum.
    const bool on_a_line = solvers::spectrum(cosines).values.size() == 1;
    return VectorXd::Constant(v.size(), on_a_line ? 1.0 : 0.0);
  }
  return v.cwiseProduct(inverse) * (lengths.dot(products) / squared);
}

Krum::Krum(const Options& options)
    : GradientCombiner(shared_options(options)),
      byzantine_(options.byzantine),
      selected_(options.selected) {
  require(byzantine_ >= 0, "Krum", "byzantine", static_cast<double>(byzantine_), "0 or more");
  require(selected_ >= 1, "Krum", "selected", static_cast<double>(selected_), "1 or more");
}

VectorXd Krum::weights(const MatrixXd& gramian) {
  const Eigen::Index n = gramian.rows();
  const Eigen::Index neighbours = n - byzantine_ - 2;
  if (neighbours < 1 || selected_ > n)
    throw Error("Krum: {} tasks, expected at least {} for byzantine = {} and selected = {}", n,
                std::max<int64_t>(byzantine_ + 3, selected_), byzantine_, selected_);
  VectorXd scores(n);
  std::vector<double> distances;
  for (Eigen::Index i = 0; i < n; ++i) {
    distances.clear();
    for (Eigen::Index j = 0; j < n; ++j)
      if (j != i)
        distances.push_back(
            std::sqrt(std::max(0.0, gramian(i, i) + gramian(j, j) - 2 * gramian(i, j))));
    std::nth_element(distances.begin(), distances.begin() + (neighbours - 1), distances.end());
    scores[i] = std::accumulate(distances.begin(), distances.begin() + neighbours, 0.0);
  }
  std::vector<Eigen::Index> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index a, Eigen::Index b) { return scores[a] < scores[b]; });
  VectorXd weights = VectorXd::Zero(n);
  for (int64_t k = 0; k < selected_; ++k)
    weights[order[static_cast<size_t>(k)]] = 1.0 / static_cast<double>(selected_);
  return weights;
}

RandomWeights::RandomWeights(Options options)
    : GradientCombiner(shared_options(options)),
      options_(std::move(options)),
      generator_(make_generator(options_.seed)) {}

VectorXd RandomWeights::weights(const MatrixXd& gramian) {
  const Eigen::Index n = gramian.rows();
  const VectorXd draws =
      options_.draws ? options_.draws(n) : to_vector(torch::randn({n}, generator_, torch::kDouble));
  if (draws.size() != n) throw Error("random weights: {} draws for {} tasks", draws.size(), n);
  const VectorXd e = (draws.array() - draws.maxCoeff()).exp();
  return e / e.sum();
}

NamedTensors RandomWeights::state_dict() const {
  NamedTensors state;
  state.insert("generator", generator_state(generator_));
  return state;
}

void RandomWeights::load_state_dict(const NamedTensors& state) {
  set_generator_state(generator_, state_entry(state, "generator"));
}

}  // namespace mtl
