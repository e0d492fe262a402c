#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/evaluate/tuning/sobol_search.hpp"

using namespace mtl::evaluate;

TEST_CASE("sobol_point: SciPy's points, to the bit") {
  for (const auto& entry : golden("tuning.json")["sobol"]) {
    const auto expected = entry["point"].get<std::vector<double>>();
    CHECK(sobol_point(entry["index"].get<uint32_t>(), 64) == expected);
  }
}

TEST_CASE("sobol_point: shifted, every interval of 1/64 still has one point of 64") {
  for (const uint64_t seed : {0, 1, 99}) {
    std::vector<std::set<int>> cells(64);
    for (uint32_t n = 0; n < 64; ++n) {
      const auto point = sobol_point(n, 64, seed);
      for (size_t d = 0; d < 64; ++d) cells[d].insert(static_cast<int>(point[d] * 64));
    }
    for (const auto& of_dimension : cells) CHECK(of_dimension.size() == 64);
  }
  CHECK(sobol_point(0, 3, 1) != sobol_point(0, 3, 2));
}

TEST_CASE("SobolSearch: Error: more dimensions than it knows") {
  CHECK(contains(error_text([] { sobol_point(0, 65); }), "1 to 64"));
  CHECK(contains(error_text([] {
                   SobolSearch{}.check_options(
                       [] {
                         std::vector<Dimension> many;
                         for (int d = 0; d < 65; ++d) many.push_back({.name = std::to_string(d)});
                         return many;
                       }(),
                       50);
                 }),
                 "65 dimensions"));
}
