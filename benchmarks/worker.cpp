// A worker that compare.py drives: a line in, a line out.
//   threads N | reset | device NAME   ->  ok
//   run WORKLOAD TASKS METHOD STEPS   ->  SECONDS_PER_STEP LAST_LOSS, or: error TEXT
//   solve METHOD TASKS                ->  processor SECONDS_PER_CALL, median over five matrices
// A WORKLOAD such as mlp@16 has batches 16 times as large. After `device cuda` steps run there.
// mtl_benchmark_worker --memory WORKLOAD TASKS METHOD: two steps, then the largest resident set of
// this process in MiB.
#include <torch/cuda.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>

#include "mtl/core/allocator.hpp"
#include "work/methods.hpp"
#include "work/solver_problems.hpp"

namespace {

double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    double kilobytes = 0;
    status >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}

double processor_seconds(const std::function<void()>& call, int64_t calls) {
  const auto start = std::clock();
  for (int64_t i = 0; i < calls; ++i) call();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / static_cast<double>(calls);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string solver_answer(const std::string& method, int64_t tasks) {
  const auto all = benchmarks::named_solvers();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& entry) { return entry.first == method; });
  if (found == all.end()) return "error no solver is called " + method;
  std::vector<double> by_matrix;
  for (const auto& gramian : benchmarks::gramians(tasks)) {
    const auto call = [&] { found->second(gramian); };
    const double once = std::max(processor_seconds(call, 10), 1e-7);
    const auto calls = static_cast<int64_t>(std::clamp(0.02 / once, 1.0, 1e5));
    by_matrix.push_back(median({processor_seconds(call, calls), processor_seconds(call, calls),
                                processor_seconds(call, calls)}));
  }
  std::ostringstream text;
  text << std::setprecision(9) << median(std::move(by_matrix));
  return text.str();
}

struct State {
  torch::Device device = torch::kCPU;
  std::map<std::string, benchmarks::Step> steps;

  void wait() const {
    if (device.is_cuda()) torch::cuda::synchronize();
  }
};

std::string answer(const std::string& line, State& state) {
  auto& steps = state.steps;
  std::istringstream words(line);
  std::string command, workload, method;
  words >> command;
  if (command == "threads") {
    int threads = 1;
    words >> threads;
    torch::set_num_threads(threads);
    return "ok";
  }
  if (command == "device") {
    std::string name;
    words >> name;
    state.device = torch::Device(name);
    return "ok";
  }
  if (command == "reset") {
    steps.clear();
    return "ok";
  }
  int64_t tasks = 0, count = 1;
  if (command == "solve") {
    words >> method >> tasks;
    return solver_answer(method, tasks);
  }
  words >> workload >> tasks >> method >> count;
  try {
    auto& step = steps[workload + " " + std::to_string(tasks) + " " + method];
    if (!step)
      step =
          benchmarks::make_step(method, benchmarks::make_workload(workload, tasks, state.device));
    torch::Tensor loss;
    state.wait();
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < count; ++i) loss = step();
    state.wait();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    std::ostringstream text;
    text << std::setprecision(9) << elapsed.count() / static_cast<double>(count) << ' '
         << loss.item<double>();
    return text.str();
  } catch (const std::exception& error) {
    return "error " + std::string(error.what()).substr(0, std::string(error.what()).find('\n'));
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  if (!words.empty() && words[0] == "--tune-allocator") {
    mtl::tune_allocator();
    words.erase(words.begin());
  }
  if (words.size() == 4 && words[0] == "--memory") {
    torch::set_num_threads(1);
    const auto step =
        benchmarks::make_step(words[3], benchmarks::make_workload(words[1], std::stoll(words[2])));
    step();
    step();
    std::cout << peak_memory() << std::endl;
    return 0;
  }
  State state;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(line, state) << std::endl;
}
