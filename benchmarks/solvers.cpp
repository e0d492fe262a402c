// Time a call of the solvers, on the matrices that docs/performance.md compares with other
// libraries: for each T five Jacobians diag(10^u) Z, u ~ U(-1/2, 1/2), Z ~ N(0, 1) of shape [T,
// 2T], drawn after manual_seed(T). Processor time, one thread; a figure is the mean over the five.
//
//     mtl_benchmark_solvers --benchmark_filter='upgrad/8$'

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <functional>
#include <vector>

#include "mtl/combine/solvers/bargain.hpp"
#include "mtl/combine/solvers/cagrad.hpp"
#include "mtl/combine/solvers/dual_cone.hpp"
#include "mtl/combine/solvers/min_norm.hpp"
#include "mtl/combine/solvers/spectrum.hpp"

namespace {

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

void measure(benchmark::State& state, const std::function<VectorXd(const MatrixXd&)>& solve) {
  const auto problems = gramians(state.range(0));
  size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(solve(problems[next++ % problems.size()]));
}

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  const auto equal = [](const MatrixXd& g) {
    return VectorXd(VectorXd::Constant(g.rows(), 1.0 / static_cast<double>(g.rows())));
  };
  const std::vector<std::pair<const char*, std::function<VectorXd(const MatrixXd&)>>> methods = {
      {"upgrad",
       [&](const MatrixXd& g) { return solvers::sum_of_dual_cone_projections(g, equal(g)); }},
      {"dualproj",
       [&](const MatrixXd& g) { return VectorXd(solvers::project_on_dual_cone(g, equal(g))); }},
      {"mgda", [](const MatrixXd& g) { return solvers::min_norm_point(g).weights; }},
      {"cagrad", [](const MatrixXd& g) { return solvers::cagrad(g, 0.5).weights; }},
      {"nash", [](const MatrixXd& g) { return solvers::nash(g).weights; }},
      {"fairgrad", [](const MatrixXd& g) { return solvers::fairgrad(g, 1).weights; }},
      {"fairgrad_2", [](const MatrixXd& g) { return solvers::fairgrad(g, 2).weights; }},
      {"imtl_g",
       [](const MatrixXd& g) { return solvers::pseudo_solve(g, g.diagonal().cwiseSqrt()); }},
      {"spectrum", [](const MatrixXd& g) { return solvers::spectrum(g).values; }},
  };
  for (const auto& [name, solve] : methods)
    benchmark::RegisterBenchmark(name, [solve](benchmark::State& state) { measure(state, solve); })
        ->RangeMultiplier(2)
        ->Range(2, 128)
        ->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
