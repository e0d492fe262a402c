// Time a call of the solvers; a figure is the mean over the five matrices of a size. One thread.
//
//     mtl_benchmark_solvers --benchmark_filter='upgrad/8$'

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include "work/solver_problems.hpp"

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  for (const auto& [name, solve] : benchmarks::named_solvers())
    benchmark::RegisterBenchmark(
        name.c_str(),
        [solve = solve](benchmark::State& state) {
          const auto problems = benchmarks::gramians(state.range(0));
          size_t next = 0;
          for (auto _ : state) benchmark::DoNotOptimize(solve(problems[next++ % problems.size()]));
        })
        ->RangeMultiplier(2)
        ->Range(2, 128)
        ->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
