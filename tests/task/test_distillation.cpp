#include "catch.hpp"
#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/task/losses/distillation.hpp"
#include "mtl/task/task.hpp"

namespace {

torch::Tensor waves(const std::vector<int64_t>& shape, double step, double phase) {
  int64_t size = 1;
  for (const int64_t length : shape) size *= length;
  return (2 * torch::sin(step * torch::arange(size, torch::kDouble) + phase)).view(shape);
}

}  // namespace

TEST_CASE("Distillation: values and gradients are those of the paper's formula") {
  for (const auto& expected : golden("distillation.json")) {
    const std::vector<int64_t> shape = expected["shape"];
    INFO(expected["of"] << " " << expected["temperature"] << " of " << shape.size()
                        << " dimensions");
    auto y = waves(shape, 0.7, 0.3);
    y.set_requires_grad(true);
    const mtl::Distillation loss{.of = expected["of"] == "scores" ? mtl::Distillation::Of::scores
                                                                  : mtl::Distillation::Of::classes,
                                 .temperature = expected["temperature"]};
    const auto found = loss(y, waves(shape, 1.1, 1));
    CHECK(found.values.allclose(tensor_of(expected["values"]), 1e-11, 1e-13));
    CHECK(found.weights.eq(1).all().item<bool>());
    found.values.sum().backward();
    CHECK(y.grad().flatten().allclose(tensor_of(expected["gradient"]), 1e-10, 1e-12));
  }
}

TEST_CASE(
    "Distillation: nothing to learn where both say the same, and nothing from a missing answer") {
  for (const auto of : {mtl::Distillation::Of::classes, mtl::Distillation::Of::scores}) {
    const mtl::Loss loss = mtl::Distillation{.of = of};
    auto y = waves({4, 3}, 0.7, 0.3);
    CHECK(loss(y, y).value.item<double>() == Approx(0).margin(1e-15));
    auto t = waves({4, 3}, 1.1, 1);
    const auto whole = loss(y.slice(0, 0, 3), t.slice(0, 0, 3)).value.item<double>();
    t[3].fill_(NAN);
    y.set_requires_grad(true);
    const auto value = loss(y, t);
    CHECK(value.samples == 3);
    CHECK(value.value.item<double>() == Approx(whole).epsilon(1e-12));
    value.value.backward();
    CHECK(y.grad()[3].abs().max().item<double>() == 0);
  }
  // Of classes one missing score leaves no answer; of scores the others count.
  auto t = waves({2, 3}, 1.1, 1);
  t[1][2] = NAN;
  const auto y = waves({2, 3}, 0.7, 0.3);
  CHECK(mtl::Distillation{}(y, t).weights[1].item<double>() == 0);
  CHECK(mtl::Distillation{.of = mtl::Distillation::Of::scores}(y, t).weights[1].item<double>() ==
        Approx(2.0 / 3));
}

TEST_CASE("Distillation: wrong options and shapes are refused") {
  for (const double temperature : {0.0, -1.0, static_cast<double>(NAN)})
    CHECK(contains(error_text([&] { mtl::Loss(mtl::Distillation{.temperature = temperature}); }),
                   "temperature"));
  CHECK(contains(error_text([] { mtl::Distillation{}(torch::zeros({3}), torch::zeros({3})); }),
                 "[N, C, ...]"));
  CHECK(contains(error_text([] {
                   mtl::Distillation{}(torch::zeros({3, 2}), torch::zeros({3, 4}));
                 }),
                 "same shape"));
}
