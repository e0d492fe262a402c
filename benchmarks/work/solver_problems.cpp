#include "solver_problems.hpp"

#include <torch/torch.h>

#include "mtl/combine/solvers/bargain.hpp"
#include "mtl/combine/solvers/cagrad.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/combine/solvers/spectrum.hpp"

namespace benchmarks {

using Eigen::MatrixXd;
using Eigen::VectorXd;
namespace solvers = mtl::solvers;

std::vector<MatrixXd> gramians(int64_t tasks) {
  torch::manual_seed(static_cast<uint64_t>(tasks));
  std::vector<MatrixXd> all;
  for (int matrix = 0; matrix < 5; ++matrix) {
    const auto lengths = torch::pow(10, torch::rand({tasks, 1}, torch::kFloat64) - 0.5);
    const auto j = (lengths * torch::randn({tasks, 2 * tasks}, torch::kFloat64)).contiguous();
    const auto g = torch::mm(j, j.t()).contiguous();
    all.emplace_back(Eigen::Map<const MatrixXd>(g.data_ptr<double>(), tasks, tasks));
  }
  return all;
}

std::vector<NamedSolver> named_solvers() {
  const auto equal = [](const MatrixXd& g) {
    return VectorXd(VectorXd::Constant(g.rows(), 1.0 / static_cast<double>(g.rows())));
  };
  return {
      {"upgrad",
       [=](const MatrixXd& g) { return solvers::sum_of_dual_cone_projections(g, equal(g)); }},
      {"dualproj",
       [=](const MatrixXd& g) { return VectorXd(solvers::project_on_dual_cone(g, equal(g))); }},
      {"mgda", [](const MatrixXd& g) { return solvers::min_norm_point(g).weights; }},
      {"cagrad", [](const MatrixXd& g) { return solvers::cagrad(g, 0.5).weights; }},
      {"nash", [](const MatrixXd& g) { return solvers::nash(g).weights; }},
      {"fairgrad", [](const MatrixXd& g) { return solvers::fairgrad(g, 1).weights; }},
      {"fairgrad_2", [](const MatrixXd& g) { return solvers::fairgrad(g, 2).weights; }},
      {"imtl_g",
       [](const MatrixXd& g) { return solvers::pseudo_solve(g, g.diagonal().cwiseSqrt()); }},
      {"spectrum", [](const MatrixXd& g) { return solvers::spectrum(g).values; }},
  };
}

}  // namespace benchmarks
