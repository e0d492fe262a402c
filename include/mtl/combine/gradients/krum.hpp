#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "mtl/combine/gradient_combiner.hpp"
#include "mtl/core/order.hpp"

namespace mtl {

/// Multi-Krum: the mean of the gradients that lie closest to their neighbours, so that outliers
/// have no say. A gradient's score is the sum of its distances to its T - byzantine - 2 nearest.
/// In a batch where labels are missing and fewer tasks are left than that takes, they count alike.
/// Blanchard et al., Machine Learning with Adversaries, NeurIPS 2017.
class Krum : public GradientCombiner {
 public:
  static constexpr std::string_view name = "krum";
  struct Options {
    int64_t byzantine = 1;  ///< outliers to survive; takes byzantine + 3 tasks
    int64_t selected = 1;   ///< how many of the best are averaged; takes as many tasks
    GradientSite at = GradientSite::shared_parameters;  ///< where the gradients are compared
    int64_t every = 1;                                  ///< solve anew every that many steps
    void describe(OptionVisitor& option) {
      option.count("byzantine", byzantine, 0);
      option.count("selected", selected, 1);
      describe_site(option, at, every);
    }
  };
  Krum() : Krum(Options{}) {}
  explicit Krum(const Options& options)
      : GradientCombiner({options.at, options.every}), options_(checked(options, name)) {}

  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return weights_of(unknown_losses(gramian.rows()), gramian);
  }
  /// Error: fewer tasks than the options take, present or not.
  inline Eigen::VectorXd weights_of(const TaskLosses& rows,
                                    const Eigen::MatrixXd& gramian) override;
  void set_task_count(int64_t tasks) override {
    require_tasks(tasks);
    GradientCombiner::set_task_count(tasks);
  }

 protected:
  bool keeps_zero_rows() const override { return true; }

 private:
  uint64_t least_tasks() const {  // beyond any int64_t where an option is
    return static_cast<uint64_t>(std::max(options_.byzantine, options_.selected - 3)) + 3;
  }
  void require_tasks(int64_t tasks) const {
    if (tasks < 0 || static_cast<uint64_t>(tasks) < least_tasks())
      throw Error(
          "combiner \"krum\": {} tasks, expected at least {} for byzantine = {} and selected = {}",
          tasks, least_tasks(), options_.byzantine, options_.selected);
  }

  Options options_;
};

inline Eigen::VectorXd Krum::weights_of(const TaskLosses& rows, const Eigen::MatrixXd& gramian) {
  require_tasks(rows.task_count);
  const Eigen::Index n = gramian.rows();
  if (static_cast<uint64_t>(n) < least_tasks())
    return Eigen::VectorXd::Constant(n, 1.0 / static_cast<double>(n));
  std::vector<double> scores(static_cast<size_t>(n)), distances;
  for (Eigen::Index i = 0; i < n; ++i) {
    distances.clear();
    for (Eigen::Index j = 0; j < n; ++j)
      if (j != i)
        distances.push_back(
            std::sqrt(std::max(0.0, gramian(i, i) + gramian(j, j) - 2 * gramian(i, j))));
    const auto nearest = distances.begin() + (n - options_.byzantine - 2);
    std::nth_element(distances.begin(), nearest - 1, distances.end());
    scores[static_cast<size_t>(i)] = std::accumulate(distances.begin(), nearest, 0.0);
  }
  const std::vector<size_t> order = rising_order(scores);
  Eigen::VectorXd weights = Eigen::VectorXd::Zero(n);
  for (size_t k = 0; k < static_cast<size_t>(options_.selected); ++k)
    weights[static_cast<Eigen::Index>(order[k])] = 1.0 / static_cast<double>(options_.selected);
  return weights;
}

}  // namespace mtl
