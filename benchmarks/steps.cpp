// Whole training steps: mtl_benchmark_steps --benchmark_filter='mlp/8/.*'
#include <benchmark/benchmark.h>

#include <memory>

#include "work/methods.hpp"

int main(int count, char** arguments) {
  torch::set_num_threads(1);
  const std::vector<std::pair<std::string, std::vector<int64_t>>> workloads = {
      {"mlp", {2, 4, 8, 16, 32}},
      {"mlp_64", {8}},
      {"mlp_small", {2, 4, 8, 16, 32}},
      {"lstm", {3}},
      {"cnn", {4}},
      {"wide", {8}}};
  for (const auto& [workload, task_counts] : workloads) {
    for (const auto tasks : task_counts) {
      for (const auto& method : benchmarks::method_names()) {
        const auto name = workload + "/" + std::to_string(tasks) + "/" + method;
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=, workload = workload](benchmark::State& state) {
                                       const auto step = benchmarks::make_step(
                                           method, benchmarks::make_workload(workload, tasks));
                                       step();
                                       for (auto _ : state) benchmark::DoNotOptimize(step());
                                     })
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
      }
    }
  }
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
