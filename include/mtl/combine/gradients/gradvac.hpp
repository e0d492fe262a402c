#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/combine/gradients/row_order.hpp"
#include "mtl/combine/solvers/spectrum.hpp"
#include "mtl/combine/solvers/vectors.hpp"
#include "mtl/combine/task_gradients.hpp"

namespace mtl {

/// Gradient vaccine: like PCGrad, but gradients are bent until their cosine is the one usual for
/// the pair, not only until they stop to conflict.
///     for j != i in random order, cos = v_i'g_j / (|v_i| |g_j| + 1e-8):  if cos < phi_ij:
///       v_i += |v_i| (phi sqrt(1-cos^2) - cos sqrt(1-phi^2)) / (|g_j| sqrt(1-phi^2) + 1e-8) g_j
///     phi_ij <- (1 - beta) phi_ij + beta cos
/// The two 1e-8 are the authors': gradients should be longer than 1e-4. Wang et al., ICLR 2021
/// (arXiv 2010.05874).
class GradVac : public GradientCombiner {
 public:
  static constexpr std::string_view name = "gradvac";
  /// What has cosines of its own: the whole set of shared parameters, each of `Parameters::layers`,
  /// or each parameter.
  enum class Groups { whole, layer, parameter };
  struct Options {
    double beta = 0.5;              ///< in [0, 1]; LibMTL's default, the paper has 0.01
    Groups groups = Groups::whole;  ///< what has cosines of its own
    uint64_t seed = 0;              ///< of the order
    RowOrder order = {};            ///< an order of one's own instead
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.number("beta", beta, zero_to_one);
      option.choice(
          "groups", groups,
          {{"whole", Groups::whole}, {"layer", Groups::layer}, {"parameter", Groups::parameter}});
      option.seed("seed", seed);
      describe_site(option, at, every);
    }
  };
  GradVac() : GradVac(Options{}) {}
  /// Error: beta is not in [0, 1]; `every` above 1 for groups smaller than the whole.
  explicit GradVac(const Options& options);

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  inline Eigen::VectorXd weights_of(const TaskLosses& rows,
                                    const Eigen::MatrixXd& gramian) override;
  inline void backward(const TaskLosses& losses, const Parameters& parameters) override;
  inline NamedTensors state_dict() const override;
  inline void load_state_dict(const NamedTensors& state) override;

 private:
  /// [T,T], zero where they are not known yet. Error: they are of another number of tasks.
  Eigen::MatrixXd& usual_cosines(size_t group, int64_t tasks);
  /// Every column in one group.
  mtl::Groups groups_of_columns(const Parameters& parameters);

  Options options_;
  RowOrders orders_;
  size_t group_ = 0;                  // whose G `solve` is given
  std::vector<Eigen::MatrixXd> phi_;  // by group, indexed by the registry [T,T]
};

inline GradVac::GradVac(const Options& options)
    : GradientCombiner({options.at, options.every}),
      options_(checked(options, name)),
      orders_(options.seed, options.order) {
  if (options.groups != Groups::whole && options.every != 1)
    throw Error(
        "combiner \"gradvac\": option every is {}, expected 1 with groups of their own: their "
        "cosines move in each step",
        options.every);
}

inline Eigen::MatrixXd& GradVac::usual_cosines(size_t group, int64_t tasks) {
  if (phi_.size() <= group) phi_.resize(group + 1);
  Eigen::MatrixXd& phi = phi_[group];
  if (phi.size() == 0) phi.setZero(tasks, tasks);
  if (phi.rows() != tasks)
    throw Error("combiner \"gradvac\" keeps cosines of {} tasks, but there are {}", phi.rows(),
                tasks);
  return phi;
}

inline Eigen::VectorXd GradVac::weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) {
  Eigen::MatrixXd& phi = usual_cosines(group_, rows.task_count);
  // Rows in coordinates of their span: a bent gradient may all but vanish, and its length would be
  // lost in x'Gx.
  const Eigen::MatrixXd g = solvers::coordinates(gramian);  // [rank,T]
  const Eigen::Index n = gramian.rows();
  constexpr double epsilon = 1e-8;  // of the paper's code; it has one in both quotients
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(n), x(n), v(g.rows());
  std::vector<int64_t> order;
  for (Eigen::Index i = 0; i < n; ++i) {
    x.setZero();
    x[i] = 1;
    v = solvers::column(g, i);
    orders_.next(i, n, order);
    for (int64_t j : order) {
      if (j == i) continue;
      const Eigen::VectorXd g_j = solvers::column(g, j);
      const double length = solvers::length(v), other = solvers::length(g_j);
      const double cosine =
          std::clamp(solvers::dot(v, g_j) / (length * other + epsilon), -1.0, 1.0);
      double& target = phi(rows.tasks[static_cast<size_t>(i)], rows.tasks[static_cast<size_t>(j)]);
      if (cosine < target) {
        const double sine = std::sqrt(1 - target * target);
        const double step = length * (target * std::sqrt(1 - cosine * cosine) - cosine * sine) /
                            (other * sine + epsilon);
        x[j] += step;
        solvers::add(v, step, g_j);
      }
      target = (1 - options_.beta) * target + options_.beta * cosine;
    }
    solvers::add(sum, 1, x);
  }
  return sum;
}

inline mtl::Groups GradVac::groups_of_columns(const Parameters& parameters) {
  const auto& columns = engine().columns();
  mtl::Groups groups;
  std::vector<char> grouped(columns.size(), 0);
  if (options_.groups == Groups::layer && options_.at == GradientSite::shared_parameters) {
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
  return groups;
}

inline void GradVac::backward(const TaskLosses& losses, const Parameters& parameters) {
  if (options_.groups == Groups::whole) return GradientCombiner::backward(losses, parameters);
  if (losses.size() == 0) return;
  const auto guard = begin(losses, parameters);
  const mtl::Groups groups = groups_of_columns(parameters);
  const auto gramians = engine().gramians(groups);
  for (const Eigen::MatrixXd& gramian : gramians)
    require_finite(solvers::diagonal(gramian), losses.names);
  struct BackToWhole {
    size_t& group;
    ~BackToWhole() { group = 0; }
  } const back{group_};
  Eigen::MatrixXd by_group(losses.size(), static_cast<Eigen::Index>(groups.size()));
  for (group_ = 0; group_ < groups.size(); ++group_) {
    const Eigen::VectorXd weights = solve(losses, gramians[group_]);
    std::copy_n(weights.data(), weights.size(), &by_group(0, static_cast<Eigen::Index>(group_)));
  }
  if (step_reports()) make_report(losses, engine().gramian(), solvers::mean_of_columns(by_group));
  engine().write_direction(engine().weighted_sum(groups, by_group),
                           Eigen::VectorXd::Ones(losses.size()));
}

inline NamedTensors GradVac::state_dict() const {
  NamedTensors state = saved({});
  state.insert("draws", orders_.saved());
  for (size_t g = 0; g < phi_.size(); ++g) {
    Tensor phi = torch::empty({phi_[g].rows(), phi_[g].cols()}, torch::kDouble);
    solvers::to_rows(phi_[g], phi.data_ptr<double>());
    state.insert("phi." + std::to_string(g), phi);
  }
  return state;
}

inline void GradVac::load_state_dict(const NamedTensors& state) {
  std::vector<std::string> names = {"draws"};
  std::vector<Eigen::MatrixXd> loaded;
  for (size_t g = 0; state.contains("phi." + std::to_string(g)); ++g) {
    names.push_back("phi." + std::to_string(g));
    const Tensor phi = state_entry(state, names.back()).cpu().to(torch::kDouble).contiguous();
    if (phi.dim() != 2 || phi.size(0) != phi.size(1))
      throw Error("the state has \"{}\" of shape {}, expected [T, T]", names.back(),
                  shape_text(phi));
    loaded.push_back(solvers::from_rows(phi.data_ptr<double>(), phi.size(0), phi.size(1)));
  }
  RowOrders orders = orders_;
  orders.load(state_entry(state, "draws"));
  load(state, {}, names);
  orders_ = std::move(orders);
  phi_ = std::move(loaded);
}

}  // namespace mtl
