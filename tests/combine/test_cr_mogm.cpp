#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("CrMogm: golden weights of a smoothed Mgda") {
  for_each_sequence("cr_mogm_of_mgda", [](const std::vector<MatrixXd>& jacobians,
                                          const nlohmann::json&, const nlohmann::json& expected) {
    CrMogm cr_mogm(std::make_unique<Mgda>());
    for (size_t k = 0; k < jacobians.size(); ++k) {
      const VectorXd answer = golden_values::vector(expected["weights"][k]);
      const VectorXd direction = vector_of(aggregate(cr_mogm, tensor_of(jacobians[k])));
      CHECK((direction - jacobians[k].transpose() * answer).norm() <= 1e-9 * direction.norm());
    }
  });
}

TEST_CASE("CrMogm: smooths what it is told to, and says what it cannot") {
  std::mt19937_64 random(7);
  const MatrixXd j = random_jacobians::normal(random, 5, 12);
  for (const std::string of : {"nash", "upgrad", "config", "krum"})
    CHECK((direction("cr_mogm:of=" + of, j) - direction(of, j)).norm() <= 1e-12 * j.norm());
  for (const std::string of : {"sum", "graddrop", "modo", "gradnorm", "imtl", "cr_mogm"})
    CHECK(contains(error_text([&] { make_combiner("cr_mogm:of=" + of); }), "option of"));
  CHECK(contains(error_text([&] { make_combiner("cr_mogm:of=nasch"); }), "no combiner \"nasch\""));
  CHECK(contains(error_text([] { CrMogm(nullptr); }), "none"));
}
