#include <functional>
#include <random>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/task_tree.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/task/tasks.hpp"

using mtl::evaluate::task_tree;
using Groups = std::vector<std::vector<int64_t>>;

namespace {

double gain_of(const Eigen::MatrixXd& affinity, const std::vector<size_t>& group_of) {
  double sum = 0;
  for (size_t j = 0; j < group_of.size(); ++j) {
    double help = 0, others = 0;
    for (size_t i = 0; i < group_of.size(); ++i) {
      if (i == j || group_of[i] != group_of[j]) continue;
      help += affinity(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
      ++others;
    }
    if (others > 0) sum += help / others;
  }
  return sum / static_cast<double>(group_of.size());
}

/// Calls visit(group of each task) for every division into at most `most` groups.
void for_divisions(size_t tasks, size_t most,
                   const std::function<void(const std::vector<size_t>&)>& visit) {
  std::vector<size_t> group_of(tasks);
  const std::function<void(size_t, size_t)> place = [&](size_t task, size_t groups) {
    if (task == tasks) return visit(group_of);
    for (size_t g = 0; g < std::min(groups + 1, most); ++g) {
      group_of[task] = g;
      place(task + 1, std::max(groups, g + 1));
    }
  };
  place(0, 0);
}

/// The best division into at most `most` groups, each within one of `coarse`, by trying all.
double best_refinement(const Eigen::MatrixXd& affinity, const std::vector<size_t>& coarse,
                       size_t most) {
  double best = -1e300;
  for_divisions(coarse.size(), most, [&](const std::vector<size_t>& fine) {
    for (size_t a = 0; a < fine.size(); ++a)
      for (size_t b = 0; b < a; ++b)
        if (fine[a] == fine[b] && coarse[a] != coarse[b]) return;
    best = std::max(best, gain_of(affinity, fine));
  });
  return best;
}

std::vector<size_t> group_numbers(const Groups& groups, size_t tasks) {
  std::vector<size_t> numbers(tasks, tasks);
  for (size_t g = 0; g < groups.size(); ++g)
    for (const int64_t t : groups[g]) numbers[static_cast<size_t>(t)] = g;
  return numbers;
}

}  // namespace

TEST_CASE("task_tree: friends part late, others early") {
  Eigen::MatrixXd affinity(4, 4);  // {0, 1} and {2, 3} go together; 2 and 3 help each other less
  affinity << 0, 3, -1, -1, 3, 0, -1, -1, -1, -1, 0, -0.1, -1, -1, -0.1, 0;
  const auto tree = task_tree({affinity}, {2, 3});
  CHECK(tree.levels == std::vector<Groups>{{{0, 1}, {2, 3}}, {{0, 1}, {2}, {3}}});
  CHECK(tree.gains[1] == Approx(1.5));
  CHECK(task_tree({affinity}, {1, 1}).levels ==
        std::vector<Groups>{{{0, 1, 2, 3}}, {{0, 1, 2, 3}}});
}

TEST_CASE("task_tree: every level is the best division of the one before, found by trying all") {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (const Eigen::Index tasks : {1, 3, 5, 6})
    for (const std::vector<int64_t>& branches :
         std::vector<std::vector<int64_t>>{{1, 2}, {2, 3}, {2, 2, 4}, {3, 9}}) {
      std::vector<Eigen::MatrixXd> affinities;
      for (size_t l = 0; l < branches.size(); ++l)
        affinities.push_back(
            Eigen::MatrixXd::NullaryExpr(tasks, tasks, [&] { return normal(random); }));
      const auto tree = task_tree(affinities, branches);
      std::vector<size_t> coarse(static_cast<size_t>(tasks), 0);
      for (size_t l = 0; l < branches.size(); ++l) {
        const auto most = static_cast<size_t>(branches[l]);
        CHECK(tree.levels[l].size() <= most);
        const auto fine = group_numbers(tree.levels[l], coarse.size());
        for (size_t a = 0; a < fine.size(); ++a)
          for (size_t b = 0; b < a; ++b)
            if (fine[a] == fine[b]) CHECK(coarse[a] == coarse[b]);
        CHECK(tree.gains[l] == Approx(gain_of(affinities[l], fine)));
        CHECK(tree.gains[l] == Approx(best_refinement(affinities[l], coarse, most)));
        coarse = fine;
      }
    }
}

TEST_CASE("branches_of: the tree as a model, an encoder a group and level") {
  Eigen::MatrixXd affinity(3, 3);
  affinity << 0, 1, -1, 1, 0, -1, -1, -1, 0;
  const auto tree = task_tree({affinity}, {2, 2});
  mtl::TaskRegistry tasks;
  for (const char* name : {"a", "b", "c"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}});
  const auto make = [](int64_t level) {
    return mtl::nn::MlpEncoder(
        {.input_size = level == 0 ? 2 : 3, .hidden_sizes = {level == 0 ? 3 : 4}});
  };
  mtl::Branched model(mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {2}}),
                      mtl::evaluate::branches_of(tree, tasks, make), tasks);
  CHECK(model->branches().size() == 2);
  CHECK(model->branches()[0].branches.size() == 1);
  CHECK(model->branches()[0].branches[0].tasks == std::vector<std::string>{"a", "b"});
  CHECK(model->branches()[1].branches[0].tasks == std::vector<std::string>{"c"});
  CHECK(model->forward({{"x", torch::randn({6, 5})}})["c"].size(0) == 6);
  CHECK(contains(error_text([&] { mtl::evaluate::branches_of(tree, {tasks[0]}, make); }),
                 "of 3 tasks, and the registry has 1"));
}

TEST_CASE("task_tree: levels and affinities that do not fit are refused") {
  const Eigen::MatrixXd three = Eigen::MatrixXd::Zero(3, 3), two = Eigen::MatrixXd::Zero(2, 2);
  CHECK(contains(error_text([&] { task_tree({three}, {}); }), "no level"));
  CHECK(contains(error_text([&] { task_tree({three}, {0}); }), "0 branches"));
  CHECK(contains(error_text([&] {
                   task_tree({three}, {3, 2});
                 }),
                 "2 branches, expected at least 3"));
  CHECK(contains(error_text([&] { task_tree({three, three}, {1, 2, 3}); }), "2 matrices"));
  CHECK(contains(error_text([] { task_tree({Eigen::MatrixXd()}, {1}); }), "no task"));
  CHECK(contains(error_text([&] { task_tree({three, two}, {1, 2}); }), "level 1 are 2 x 2"));
}
