#include "gradient_checks.hpp"
#include "gradient_methods.hpp"

using namespace gradient_checks;

namespace {

const MatrixXd kRows{{2, 1, 0, 0.5}, {-1, 2, 1, 0}, {0.5, 0.25, -1, 2}};

}  // namespace

TEST_CASE("aggregate: a loss combiner weighs the rows as losses that are all 1") {
  CHECK(direction("sum", kRows).isApprox(Eigen::Vector4d(1.5, 3.25, 0, 2.5)));
  CHECK(direction("mean", kRows).isApprox(Eigen::Vector4d(0.5, 3.25 / 3, 0, 2.5 / 3)));
  CHECK(direction("fixed:weights=2/0/4", kRows).isApprox(Eigen::Vector4d(6, 3, -4, 9)));
  // The slope of (l1 l2 l3)^(1/3) by each loss is 1/3 where all are 1.
  CHECK(direction("geometric_mean", kRows).isApprox(Eigen::Vector4d(0.5, 3.25 / 3, 0, 2.5 / 3)));
}

TEST_CASE("aggregate: what is no Jacobian is an Error, and so is a row that is not finite") {
  Mgda mgda;
  for (const Tensor& wrong :
       {torch::ones({3}), torch::ones({0, 3}), torch::ones({2, 3}, torch::kLong)})
    CHECK(contains(error_text([&] { aggregate(mgda, wrong); }), "aggregate: found a Jacobian"));
  Sum sum;
  Tensor rows = tensor_of(kRows).clone();
  rows[1][2] = std::nan("");
  CHECK_THROWS_AS(aggregate(sum, rows), FaultyStep);
  CHECK(contains(error_text([&] { aggregate(sum, rows); }), "task \"1\""));
}

TEST_CASE("DirectionCombiner: rows alone are the rows of all tasks") {
  const MatrixXd rows{{2, 1, 0, 0.5}, {-1, 2, 1, 0}, {0.5, 0.25, -1, 2}, {1, -1, 0.5, 1}};
  int methods = 0;
  for (const std::string& name : gradient_methods()) {
    INFO(name);
    const auto combiner = plain_combiner(name, 4);
    auto* by_rows = dynamic_cast<DirectionCombiner*>(combiner.get());
    if (by_rows == nullptr) continue;
    ++methods;
    const Direction alone = by_rows->direction(rows_of(tensor_of(rows)));
    CHECK(torch::equal(alone.by_parameter.at(0),
                       aggregate(*plain_combiner(name, 4), tensor_of(rows))));
    CHECK(alone.head_weights.size() == 4);
  }
  CHECK(methods >= 5);
}
