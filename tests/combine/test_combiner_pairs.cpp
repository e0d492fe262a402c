#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "catch.hpp"
#include "linear_problem.hpp"
#include "mtl/combine/make_combiner.hpp"
#include "random_jacobians.hpp"

using namespace mtl;

namespace {

/// Four tasks that pull in different directions, losses and gradients anew in every step.
struct PullingTasks {
  static constexpr int64_t tasks = 4, size = 6, steps = 4;
  std::vector<Tensor> jacobians, values;

  PullingTasks() {
    std::mt19937_64 random(15);
    for (int64_t step = 0; step <= 2 * steps; ++step) {
      // The last two point more or less against the first two, and lengths differ.
      Eigen::MatrixXd rows = random_jacobians::normal(random, tasks, size);
      rows.row(2) -= rows.row(0);
      rows.row(3) -= 2 * rows.row(1);
      jacobians.push_back(tensor_of(Eigen::Vector4d(1, 3, 0.5, 2).asDiagonal() * rows));
      values.push_back(
          torch::tensor({2.0, 0.7, 4.0, 1.3}, torch::kDouble) /
          torch::tensor({1.0 + step, 1.0 + 0.2 * step, 1.0, 1.0 + 0.5 * step}, torch::kDouble));
    }
  }
};

/// The directions of a combiner's updates, one after another, with all that a trainer does between
/// them: its own parameters learn, epochs end.
std::vector<Eigen::VectorXd> directions_of(const std::string& name, const PullingTasks& pull) {
  LinearProblem problem(PullingTasks::tasks, PullingTasks::size);
  const auto combiner =
      make_combiner(name == "fixed" ? "fixed:weights=2/1/0.5/1" : name, PullingTasks::tasks);
  std::vector<Eigen::VectorXd> directions;
  for (size_t step = 0; step < PullingTasks::steps; ++step) {
    const auto losses_at = [&](size_t place) {
      return problem.losses(pull.jacobians[place], pull.values[place]);
    };
    TaskLosses losses = losses_at(step);
    losses.same_batch = [&] { return losses_at(step); };
    size_t further = step;
    losses.another_batch = [&] { return losses_at(++further); };
    const std::vector<Tensor> learnt = combiner->parameters();
    for (Tensor parameter : learnt) parameter.mutable_grad() = Tensor();
    directions.push_back(vector_of(problem.step(*combiner, losses)).normalized());
    const torch::NoGradGuard no_grad;
    for (Tensor parameter : learnt)
      if (parameter.grad().defined()) parameter.sub_(parameter.grad(), 0.1);
    if (combiner->wants_losses_after_step()) combiner->after_step(losses_at(step + 1));
    combiner->end_epoch();
  }
  return directions;
}

}  // namespace

TEST_CASE("combiners: no two turn the same way, but those of which theory says so") {
  using Pair = std::pair<std::string, std::string>;
  const std::map<Pair, std::string> same_by_theory = {
      {{"sum", "mean"}, "the mean is the sum divided by the number of tasks"},
      {{"geometric_mean", "log_sum"}, "both follow sum g_t / l_t, at other lengths"},
      {{"imtl_g", "imtl"}, "scaling a loss does not turn its gradient, and only directions count"},
      {{"imtl_g", "config"}, "one direction has equal angles to independent gradients"},
      {{"imtl", "config"}, "as imtl_g and config"},
      {{"nash", "fairgrad"}, "Nash bargaining is alpha-fair with alpha = 1, fairgrad's default"},
      {{"rlw", "random"}, "the same draws weigh losses or, what is linear, their gradients"},
  };
  const PullingTasks pull;
  std::vector<std::pair<std::string, std::vector<Eigen::VectorXd>>> all;
  for (const std::string& name : combiner_names())
    all.emplace_back(name, directions_of(name, pull));
  std::set<Pair> same;
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = i + 1; j < all.size(); ++j) {
      double apart = 0;
      for (size_t step = 0; step < all[i].second.size(); ++step)
        apart = std::max(apart, (all[i].second[step] - all[j].second[step]).norm());
      if (apart < 1e-6) same.insert({all[i].first, all[j].first});
    }
  for (const auto& [pair, why] : same_by_theory) {
    INFO(pair.first << " and " << pair.second << " should turn the same way: " << why);
    CHECK(same.erase(pair) == 1);
  }
  for (const auto& [first, second] : same) {
    INFO(first << " and " << second << " turn the same way");
    CHECK(first == second);
  }
}
