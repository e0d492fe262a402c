#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("PcGrad: golden directions in given orders") {
  for_each_golden("pcgrad", [](const std::string& matrix, const MatrixXd& jacobian,
                               const nlohmann::json& expected) {
    PcGrad combiner({.order = order_of(expected["orders"])});
    check_direction(matrix, "pcgrad", jacobian, expected,
                    vector_of(aggregate(combiner, tensor_of(jacobian))));
  });
}

TEST_CASE("PcGrad: of two tasks it is twice UPGrad") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20; ++round) {
    const MatrixXd two = random_jacobians::normal(random, 2, 5);
    CHECK((direction("pcgrad", two) - 2 * direction("upgrad", two)).norm() <= 1e-12 * two.norm());
  }
}

TEST_CASE("PcGrad: the seed decides the order, and an order that is none is an Error") {
  std::mt19937_64 random(3);
  const MatrixXd j = random_jacobians::normal(random, 6, 4);
  CHECK(direction("pcgrad:seed=1", j) == direction("pcgrad:seed=1", j));
  CHECK_FALSE(direction("pcgrad:seed=1", j) == direction("pcgrad:seed=2", j));
  PcGrad combiner({.order = [](int64_t, int64_t) { return std::vector<int64_t>{0, 0}; }});
  CHECK(contains(error_text([&] { aggregate(combiner, torch::eye(2)); }), "no permutation"));
  PcGrad fewer({.order = [](int64_t, int64_t) { return std::vector<int64_t>{0, 2}; }});
  CHECK(contains(error_text([&] { aggregate(fewer, torch::eye(3)); }), "row 0 lacks row 1"));
  PcGrad without_own({.order = [](int64_t row, int64_t) { return std::vector<int64_t>{1 - row}; }});
  CHECK(aggregate(without_own, torch::eye(2)).equal(torch::ones({2})));
}
