#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("ExcessMtl: golden sequences") { check_sequence("excess_mtl", "excess_mtl:step=0.1"); }

TEST_CASE("ExcessMtl: a head whose task has no shared gradient takes its own") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}});
  ExcessMtl combiner({.step_size = 10});
  for (int k = 0; k < 3; ++k) {
    loop.clear();
    combiner.backward(loop.losses({1}), loop.parameters());
  }
  CHECK(loop.heads[1].grad().item<double>() == Approx(loop.head_gradient(1)));
}

TEST_CASE("ExcessMtl: a step of another number of tasks leaves no trace") {
  ExcessMtl combiner;
  aggregate(combiner, torch::tensor({{1.0, 2.0}, {3.0, -1.0}}));
  const NamedTensors before = combiner.state_dict();
  CHECK(contains(error_text([&] { aggregate(combiner, torch::ones({3, 2})); }), "3"));
  const NamedTensors after = combiner.state_dict();
  for (const auto& item : before) CHECK(torch::equal(item.value(), after[item.key()]));
}

TEST_CASE("ExcessMtl: in a type of few digits the sum of many squares goes on growing") {
  const auto weights = [](torch::Dtype type) {
    ExcessMtl combiner;
    Rows rows{{torch::full({3}, 0.3), torch::full({3}, 0.1)}};
    for (Tensor& row : rows[0]) row = row.to(type);
    for (int k = 0; k < 1000; ++k) combiner.direction(rows);
    return combiner.direction(rows).head_weights;
  };
  CHECK(weights(torch::kBFloat16).isApprox(weights(torch::kDouble), 0.02));
}
