// What the searches of mtl::evaluate find on functions with noise: one JSON line a run, which
// tuning.py puts beside scikit-optimize's. Arguments: runs (20), trials (50).
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numbers>
#include <random>
#include <string>

#include "mtl/evaluate/tuning/tuning.hpp"

namespace {

using namespace mtl::evaluate;

struct Problem {
  std::string name;
  SearchSpace space;
  std::function<double(const Candidate&)> value;
  double minimum, noise;
};

double branin(const Candidate& at) {
  using std::numbers::pi;
  const double x = at.at("x0"), y = at.at("x1");
  const double bend = y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6;
  return bend * bend + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

double hartmann6(const Candidate& at) {
  constexpr std::array<double, 4> height{1, 1.2, 3, 3.2};
  constexpr double width[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                                  {.05, 10, 17, .1, 8, 14},
                                  {3, 3.5, 1.7, 10, 17, 8},
                                  {17, 8, .05, 10, .1, 14}};
  constexpr double centre[4][6] = {{.1312, .1696, .5569, .0124, .8283, .5886},
                                   {.2329, .4135, .8307, .3736, .1004, .9991},
                                   {.2348, .1451, .3522, .2883, .3047, .6650},
                                   {.4047, .8828, .8732, .5743, .1091, .0381}};
  double sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    double exponent = 0;
    for (size_t d = 0; d < 6; ++d)
      exponent += width[i][d] * std::pow(at.settings[d].value - centre[i][d], 2);
    sum += height[i] * std::exp(-exponent);
  }
  return -sum;
}

std::vector<Problem> problems() {
  std::vector<Dimension> six;
  for (int d = 0; d < 6; ++d) six.push_back({.name = fmt::format("x{}", d)});
  return {{"branin",
           {{.name = "x0", .low = -5, .high = 10}, {.name = "x1", .low = 0, .high = 15}},
           branin,
           0.39788735772973816,
           1.0},
          {"hartmann6", six, hartmann6, -3.32236801141551, 0.1}};
}

void run(const std::string& name, const SearchMethod& method, const Problem& problem, uint64_t seed,
         int64_t trials) {
  std::mt19937_64 random(1000 + seed);
  std::normal_distribution<double> normal;
  Tuner tuner(problem.space, method, {.trials = trials, .seed = seed});
  double lowest = std::numeric_limits<double>::infinity();
  while (const auto candidate = tuner.ask()) {
    const double value = problem.value(*candidate);
    lowest = std::min(lowest, value);
    tuner.tell(*candidate, value + problem.noise * normal(random));
  }
  fmt::print(
      "{{\"search\": \"{}\", \"function\": \"{}\", \"seed\": {}, \"chosen\": {}, "
      "\"lowest\": {}, \"expected\": {}}}\n",
      name, problem.name, seed, problem.value(tuner.best()->candidate) - problem.minimum,
      lowest - problem.minimum, problem.value(expected_best(tuner)->candidate) - problem.minimum);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t runs = argc > 1 ? std::atoll(argv[1]) : 20;
  const int64_t trials = argc > 2 ? std::atoll(argv[2]) : 50;
  for (const Problem& problem : problems())
    for (int64_t n = 0; n < runs; ++n) {
      const auto seed = static_cast<uint64_t>(n);
      run("mtl ExpectedImprovement", ExpectedImprovement{}, problem, seed, trials);
      run("mtl RandomSearch", RandomSearch{}, problem, seed, trials);
      run("mtl SobolSearch", SobolSearch{}, problem, seed, trials);
    }
}
