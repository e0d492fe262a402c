#include "gradient_checks.hpp"

using namespace gradient_checks;

TEST_CASE("SdmGrad: golden weights of crossed pairs of batches") {
  check_cross_sequence("sdmgrad");
}

TEST_CASE("SdmGrad: without a preferred direction it is MGDA") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 5; ++round) {
    const MatrixXd many = random_jacobians::normal(random, 5, 12);
    CHECK((direction("sdmgrad:lambda=0,lr=0.05,n_iter=5000", many) - direction("mgda", many))
              .norm() <= 1e-6 * many.norm());
  }
}

TEST_CASE("SdmGrad: steep gradients of which two batches agree in no task leave weights") {
  const MatrixXd cross{{-1e8, 3e7}, {2e7, -2e8}};
  SdmGrad combiner;
  for (int step = 0; step < 3; ++step) {
    const VectorXd w = combiner.weights(cross);
    CHECK(w.minCoeff() >= 0);
    CHECK(w.sum() == Approx(1));
  }
}
