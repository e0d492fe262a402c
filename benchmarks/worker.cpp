// A worker that compare.py drives: a line in, a line out.
//   threads N | reset | run WORKLOAD TASKS METHOD STEPS  ->  SECONDS_PER_STEP LAST_LOSS, or: error
//   TEXT
// mtl_benchmark_worker --memory WORKLOAD TASKS METHOD: two steps, then the largest resident set of
// this process in MiB.
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>

#include "mtl/core/allocator.hpp"
#include "work/methods.hpp"

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

std::string answer(const std::string& line, std::map<std::string, benchmarks::Step>& steps) {
  std::istringstream words(line);
  std::string command, workload, method;
  words >> command;
  if (command == "threads") {
    int threads = 1;
    words >> threads;
    torch::set_num_threads(threads);
    return "ok";
  }
  if (command == "reset") {
    steps.clear();
    return "ok";
  }
  int64_t tasks = 0, count = 1;
  words >> workload >> tasks >> method >> count;
  try {
    auto& step = steps[workload + " " + std::to_string(tasks) + " " + method];
    if (!step) step = benchmarks::make_step(method, benchmarks::make_workload(workload, tasks));
    torch::Tensor loss;
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < count; ++i) loss = step();
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
  std::map<std::string, benchmarks::Step> steps;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(line, steps) << std::endl;
}
