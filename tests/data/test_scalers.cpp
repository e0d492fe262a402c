#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/data.hpp"

namespace {

bool close(const mtl::Tensor& a, const mtl::Tensor& b, double tolerance = 1e-14) {
  return a.sizes() == b.sizes() && torch::allclose(a, b, tolerance, tolerance, /*equal_nan=*/true);
}

}  // namespace

TEST_CASE("StandardScaler: as scikit-learn's, with the population's deviation") {
  const auto rows = torch::tensor(
      {{1.0, 10.0, 5.0}, {2.0, 20.0, 5.0}, {3.0, 60.0, 5.0}, {6.0, 30.0, 5.0}}, torch::kFloat64);
  const mtl::StandardScaler scaler(rows);
  CHECK(close(scaler.mean(), torch::tensor({3.0, 30.0, 5.0}, torch::kFloat64)));
  CHECK(close(scaler.scale(),
              torch::tensor({1.8708286933869707, 18.708286933869708, 1.0}, torch::kFloat64)));
  const auto changed = scaler.transform(rows);
  CHECK(close(changed.mean(0), torch::zeros({3}, torch::kFloat64)));
  CHECK(close(changed.select(1, 2), torch::zeros({4}, torch::kFloat64)));
  CHECK(close(scaler.inverse_transform(changed), rows));
}

TEST_CASE("StandardScaler: missing values are passed over and stay missing") {
  const double nan = std::nan("");
  const auto rows = torch::tensor({1.0, nan, 3.0, nan}, torch::kFloat64);
  const mtl::StandardScaler scaler(rows);
  CHECK(scaler.mean().item<double>() == 2.0);
  CHECK(scaler.scale().item<double>() == 1.0);
  CHECK(close(scaler.transform(rows), torch::tensor({-1.0, nan, 1.0, nan}, torch::kFloat64)));
}

TEST_CASE("StandardScaler: types, shapes, and columns far from zero") {
  const auto rows = torch::rand({50, 4}) + 1000;
  const mtl::StandardScaler scaler(rows);
  CHECK(scaler.transform(rows).scalar_type() == torch::kFloat32);
  CHECK(close(scaler.transform(rows.to(torch::kFloat64)).var(0, /*unbiased=*/false),
              torch::ones({4}, torch::kFloat64), 1e-9));
  // whole numbers cannot stay whole; windows [n, days, columns] have their columns last
  CHECK(scaler.transform(torch::full({2, 4}, 1000, torch::kInt64)).scalar_type() ==
        torch::kFloat64);
  CHECK(scaler.transform(rows.view({5, 10, 4})).equal(scaler.transform(rows).view({5, 10, 4})));
  // what only rounding lets vary is constant
  const auto tenths = torch::full({1000}, 0.1, torch::kFloat64);
  CHECK(mtl::StandardScaler(tenths).scale().item<double>() == 1.0);
}

TEST_CASE("StandardScaler: a saved state changes rows alike") {
  const auto rows = torch::rand({20, 3}, torch::kFloat64);
  const mtl::StandardScaler scaler(rows);
  const auto again = mtl::StandardScaler::from_state_dict(scaler.state_dict());
  CHECK(again.transform(rows).equal(scaler.transform(rows)));
  CHECK(contains(error_text([] {
                   mtl::StandardScaler::from_state_dict({{"mean", torch::zeros({1})}});
                 }),
                 "no tensor \"scale\""));
  const auto load = [](const mtl::Tensor& minimum, const mtl::Tensor& scale) {
    return error_text([&] {
      mtl::MinMaxScaler::from_state_dict({{"minimum", minimum}, {"scale", scale}});
    });
  };
  CHECK(load(torch::zeros({2}), torch::ones({2})).empty());  // saved as float32
  CHECK(contains(load(torch::zeros({2}), torch::ones({3})), "shapes [2] and [3]"));
  CHECK(contains(load(torch::zeros({2}), torch::zeros({2})), "scale is not above 0"));
  CHECK(contains(load(torch::zeros({2}), torch::full({2}, std::nan(""))), "\"scale\" is not made"));
  CHECK(contains(load(torch::zeros({2}, torch::kInt64), torch::ones({2})), "\"minimum\" is not"));
  CHECK(contains(load(mtl::Tensor(), torch::ones({2})), "no tensor \"minimum\""));
  CHECK(contains(error_text([&] { scaler.transform(mtl::Tensor()); }), "was given [undefined]"));
}

TEST_CASE("scalers: rows that teach nothing are an error") {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  CHECK(contains(error_text([&] {
                   mtl::StandardScaler(torch::tensor({{1.0, nan}, {2.0, nan}}));
                 }),
                 "column 1 has no value in 2 rows"));
  CHECK(contains(error_text([&] {
                   mtl::MinMaxScaler(torch::tensor({1.0, infinity}));
                 }),
                 "infinite"));
  CHECK(contains(error_text([&] { mtl::StandardScaler(torch::empty({0, 2})); }), "are needed"));
  const mtl::StandardScaler scaler(torch::rand({5, 3}));
  CHECK(contains(error_text([&] {
                   scaler.transform(torch::rand({5, 2}));
                 }),
                 "rows of shape [3], but was given [5, 2]"));
}

TEST_CASE("MinMaxScaler: to [0, 1] and back") {
  const double nan = std::nan("");
  const auto rows =
      torch::tensor({{1.0, 4.0}, {3.0, 4.0}, {nan, 4.0}, {5.0, 4.0}}, torch::kFloat64);
  const mtl::MinMaxScaler scaler(rows);
  const auto changed = scaler.transform(rows);
  CHECK(close(changed,
              torch::tensor({{0.0, 0.0}, {0.5, 0.0}, {nan, 0.0}, {1.0, 0.0}}, torch::kFloat64)));
  CHECK(close(scaler.inverse_transform(changed), rows));
  const auto again = mtl::MinMaxScaler::from_state_dict(scaler.state_dict());
  CHECK(close(again.transform(rows), changed));
}

TEST_CASE("fill_from_earlier: the last value before, and nothing before the first") {
  const double nan = std::nan("");
  const auto rows =
      torch::tensor({{nan, 1.0}, {2.0, nan}, {nan, nan}, {4.0, 5.0}, {nan, nan}}, torch::kFloat64);
  const auto filled =
      torch::tensor({{nan, 1.0}, {2.0, 1.0}, {2.0, 1.0}, {4.0, 5.0}, {4.0, 5.0}}, torch::kFloat64);
  CHECK(close(mtl::fill_from_earlier(rows), filled));
  CHECK(close(mtl::fill_from_earlier(rows.select(1, 0)), filled.select(1, 0)));
  CHECK(contains(error_text([] { mtl::fill_from_earlier(torch::tensor({1L})); }),
                 "rows of real numbers"));
}

TEST_CASE("scalers: Error: values so far apart that float64 has no number for their spread") {
  const auto far = torch::tensor({{0.0, 1e200}, {1.0, -1e200}}, torch::kDouble);
  CHECK(contains(error_text([&] { mtl::StandardScaler{far}; }),
                 "StandardScaler: the values of column 1 lie too far apart"));
  CHECK(mtl::MinMaxScaler(far).transform(far)[0][1].item<double>() == 1);
  CHECK(contains(error_text([&] { mtl::MinMaxScaler{far * 1e108}; }),
                 "MinMaxScaler: the values of column 1 lie too far apart"));
}
