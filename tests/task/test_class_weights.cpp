#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("Class weights: golden values") {
  for (const auto& c : golden("class_weights.json")["cases"]) {
    const Tensor counts = tensor_of(c["counts"]);
    CHECK(is_close(inverse_frequency(counts), tensor_of(c["inverse_frequency"])));
    CHECK(is_close(balanced(counts), tensor_of(c["balanced"])));
    CHECK(is_close(effective_number(counts, 0.999), tensor_of(c["effective_number_0.999"]), 1e-11));
  }
}

TEST_CASE("Class weights: an absent class has weight zero, missing labels do not count") {
  const Tensor target = torch::tensor({0, 0, 2, -100, 2, 2, 3});
  const Tensor counts = class_counts(target, 4);
  CHECK(counts.equal(torch::tensor({2, 0, 3, 1})));
  for (const Tensor& weights : {inverse_frequency(counts), balanced(counts),
                                effective_number(counts, 0.99), effective_number(counts, 0)}) {
    CHECK(weights[1].item<double>() == 0);
    CHECK(weights.isfinite().all().item<bool>());
  }
  CHECK(inverse_frequency(counts).sum().item<double>() == Approx(4));
  CHECK((balanced(counts) * counts).sum().item<double>() == Approx(6));
  CHECK(contains(error_text([&] { class_counts(target, 3); }), "class 3 in row 6"));
  const Tensor weights = torch::tensor({2.0, 0.5, 0.0, 7.0, 1.0, 1.0, 0.0});
  CHECK(class_counts(target, 3, weights).equal(torch::tensor({2.5, 0.0, 2.0}, torch::kDouble)));
  const Tensor map = torch::tensor({{0, 1}, {1, -100}});
  CHECK(class_counts(map, 2, torch::tensor({3.0, 0.5}))
            .equal(torch::tensor({3.0, 3.5}, torch::kDouble)));
  CHECK(contains(error_text([] { inverse_frequency(torch::zeros({3})); }), "positive"));
  CHECK(contains(error_text([&] { effective_number(counts, 1.0); }), "beta"));
}
