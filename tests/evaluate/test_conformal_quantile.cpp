#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/conformal_quantile.hpp"

using mtl::evaluate::conformal_quantile;

TEST_CASE("conformal_quantile: the ceil((n + 1) level)-th smallest error, whatever its sign") {
  const std::vector<double> errors = {-4, 1, -7, 2, 9, -3, 8, 5, 6};
  CHECK(conformal_quantile(errors, 0.8) == 8);   // (9 + 1) 0.8 = 8, exactly
  CHECK(conformal_quantile(errors, 0.81) == 9);  // 8.1
  CHECK(conformal_quantile(errors, 0.3) == 3);
  CHECK(conformal_quantile(errors, 0.05) == 1);  // 0.5
  CHECK(conformal_quantile(errors, 0.9) == 9);
  CHECK(conformal_quantile(errors, 0.91) == std::numeric_limits<double>::infinity());

  std::vector<double> many(99);
  std::iota(many.begin(), many.end(), 1);
  CHECK(conformal_quantile(many, 0.07) == 7);  // 100 * 0.07 is above 7 in doubles
}

TEST_CASE("conformal_quantile: an interval covers what it says, on average over new samples") {
  // In expectation exactly ceil((n + 1) level) / (n + 1), here 16 / 20, for any distribution.
  std::mt19937_64 random(3);
  const auto draw = [&] {  // heavy tails
    const double u = (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53;
    return std::tan(3.14159265358979 * (u - 0.5));
  };
  constexpr int repeats = 20000;
  int covered = 0;
  for (int i = 0; i < repeats; ++i) {
    std::vector<double> errors(19);
    for (double& error : errors) error = draw();
    covered += std::abs(draw()) <= conformal_quantile(errors, 0.8);
  }
  CHECK(static_cast<double>(covered) / repeats == Approx(0.8).margin(0.012));  // four deviations
}

TEST_CASE("conformal_quantile: no errors, one that is not finite, no level are refused") {
  const std::vector<double> none, odd = {1, std::nan("")}, one = {1};
  CHECK(contains(error_text([&] { conformal_quantile(none); }), "conformal quantile"));
  CHECK(contains(error_text([&] { conformal_quantile(odd); }), "position 1"));
  CHECK(contains(error_text([&] { conformal_quantile(one, 1.0); }), "level"));
}
