#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("GradDrop: golden directions for given draws") {
  for_each_golden("graddrop", [](const std::string& matrix, const MatrixXd& jacobian,
                                 const nlohmann::json& expected) {
    GradDrop combiner({.uniforms = [&](const Tensor& like) {
      return tensor_of(golden_values::vector(expected["uniforms"])).reshape(like.sizes());
    }});
    check_direction(matrix, "graddrop", jacobian, expected,
                    vector_of(aggregate(combiner, tensor_of(jacobian))));
  });
}

TEST_CASE("GradDrop: a leak of 1 is the sum") {
  std::mt19937_64 random(5);
  const MatrixXd j = random_jacobians::normal(random, 4, 20);
  CHECK(direction("graddrop:leak=1", j).isApprox(j.colwise().sum().transpose(), 1e-12));
}
