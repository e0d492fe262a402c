#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("DbMtl: golden sequences") {
  for_each_sequence("db_mtl", [](const std::vector<MatrixXd>& jacobians, const nlohmann::json&,
                                 const nlohmann::json& expected) {
    DbMtl db_mtl({.beta = 0.9, .beta_sigma = 0.5});
    for (size_t k = 0; k < jacobians.size(); ++k) {
      const VectorXd answer = golden_values::vector(expected["directions"][k]);
      CHECK((vector_of(aggregate(db_mtl, tensor_of(jacobians[k]))) - answer).norm() <=
            1e-9 * answer.norm());
    }
  });
}

TEST_CASE("DbMtl: gradients are those of the logarithms, heads included") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}});
  DbMtl combiner({.beta = 0});
  const TaskLosses losses = loop.losses();
  combiner.backward(losses, loop.parameters());
  for (size_t t = 0; t < 2; ++t)
    CHECK(loop.heads[t].grad().item<double>() ==
          Approx(loop.head_gradient(t) / losses.values[t].item<double>()));
  const MatrixXd rows{{1 / 3.5, 2 / 3.5}, {3 / 2.5, -1 / 2.5}};  // losses 3.5 and 2.5
  DbMtl alone({.beta = 0});
  CHECK(vector_of(loop.x.grad()).isApprox(vector_of(aggregate(alone, tensor_of(rows))), 1e-6));
}

TEST_CASE("DbMtl: means over many steps are not lost in bfloat16") {
  DbMtl combiner({.beta = 0.999});
  const Rows rows{{torch::ones({1}, torch::kBFloat16)}};
  for (int k = 0; k < 1000; ++k) combiner.direction(rows);
  CHECK(combiner.state_dict()["mean.0.0"].item<double>() ==
        Approx(1 - std::pow(0.999, 1000)).epsilon(1e-4));
}
