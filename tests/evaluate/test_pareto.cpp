#include <limits>
#include <random>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/pareto.hpp"

using namespace mtl::evaluate;

namespace {

std::vector<Objectives> random_points(std::mt19937_64& random, size_t count, size_t objectives) {
  // Multiples of 1/8: ties occur.
  std::uniform_int_distribution<int> eighths(0, 8);
  std::vector<Objectives> points(count, Objectives(objectives));
  for (auto& point : points)
    for (double& value : point) value = eighths(random) / 8.0;
  return points;
}

// By inclusion and exclusion: the boxes of each subset of points meet in the box of its maxima.
double volume_by_subsets(const std::vector<Objectives>& points, const Objectives& reference) {
  double volume = 0;
  for (uint64_t subset = 1; subset < uint64_t{1} << points.size(); ++subset) {
    double box = -1;
    Objectives corner(reference.size(), -std::numeric_limits<double>::infinity());
    for (size_t i = 0; i < points.size(); ++i) {
      if (!(subset >> i & 1)) continue;
      box = -box;
      for (size_t k = 0; k < corner.size(); ++k) corner[k] = std::max(corner[k], points[i][k]);
    }
    for (size_t k = 0; k < corner.size(); ++k) box *= std::max(0.0, reference[k] - corner[k]);
    volume += box;
  }
  return volume;
}

}  // namespace

TEST_CASE("non_dominated: nothing is nowhere worse and somewhere better") {
  const std::vector<Objectives> points{{1, 4}, {2, 2}, {3, 3}, {4, 1}, {2, 2}, {4, 2}};
  CHECK(non_dominated(points) == std::vector<size_t>{0, 1, 3, 4});
  CHECK(non_dominated(std::vector<Objectives>{}).empty());
}

TEST_CASE("hypervolume: by hand, and what lies outside adds nothing") {
  CHECK(hypervolume(std::vector<Objectives>{{1, 2}, {2, 1}}, {3, 3}) == Approx(3));
  CHECK(hypervolume(std::vector<Objectives>{{1, 2}, {2, 1}, {3, 0}, {0, 5}}, {3, 3}) == Approx(3));
  CHECK(hypervolume(std::vector<Objectives>{{0.25}}, {1}) == Approx(0.75));
  CHECK(hypervolume(std::vector<Objectives>{}, {1, 1}) == 0);
}

TEST_CASE("hypervolume: inclusion and exclusion over all subsets") {
  std::mt19937_64 random(2);
  for (size_t objectives = 1; objectives <= 5; ++objectives) {
    for (int round = 0; round < 10; ++round) {
      const auto points = random_points(random, 9, objectives);
      const Objectives reference(objectives, 1.0);
      CHECK(hypervolume(points, reference) ==
            Approx(volume_by_subsets(points, reference)).margin(1e-12));
    }
  }
}

TEST_CASE("preferences: a lattice on the simplex, each point once") {
  const auto two = preferences(2, 4);
  REQUIRE(two.size() == 5);
  CHECK(two.front() == std::vector<double>{1, 0});
  CHECK(two[1] == std::vector<double>{0.75, 0.25});
  CHECK(two.back() == std::vector<double>{0, 1});
  auto four = preferences(4, 5);
  CHECK(four.size() == 56);  // choose(8, 5)
  for (const auto& point : four) CHECK(point[0] + point[1] + point[2] + point[3] == Approx(1));
  std::sort(four.begin(), four.end());
  CHECK(std::adjacent_find(four.begin(), four.end()) == four.end());
  CHECK(preferences(1, 3) == std::vector<std::vector<double>>{{1}});
}

TEST_CASE("Pareto fronts: points that do not fit together are Errors") {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  CHECK(contains(error_text([&] {
                   non_dominated(std::vector<Objectives>{{1, 2}, {1}});
                 }),
                 "point 1 has 1 objectives, expected 2"));
  CHECK_THROWS_AS(non_dominated(std::vector<Objectives>{{nan}}), mtl::Error);
  CHECK_THROWS_AS(hypervolume(std::vector<Objectives>{{1}}, {2, 2}), mtl::Error);
  CHECK_THROWS_AS(hypervolume(std::vector<Objectives>{{1}}, {infinite}), mtl::Error);
  CHECK_THROWS_AS(hypervolume(std::vector<Objectives>{{-infinite}}, {1}), mtl::Error);
  CHECK_THROWS_AS(preferences(0, 3), mtl::Error);
  CHECK_THROWS_AS(preferences(3, 0), mtl::Error);
}
