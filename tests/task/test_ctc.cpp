#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("Ctc: values and gradients of all paths, gone through one by one") {
  for (const auto& c : golden("structured_losses.json")["ctc"]) {
    Tensor y = tensor_of(c["logits"]).unsqueeze(0).requires_grad_();
    const Tensor labels = tensor_of(c["labels"]).to(torch::kLong).unsqueeze(0);
    const Tensor filled = torch::cat({labels, torch::full({1, 2}, missing_class)}, 1);
    INFO(labels);
    for (const Tensor& target : {labels, filled}) {
      y.mutable_grad().reset();
      const SampleLosses losses = Ctc{}(y, target);
      CHECK(losses.values[0].item<double>() == Approx(c["loss"].get<double>()).epsilon(1e-10));
      CHECK(losses.weights[0].item<double>() == 1);
      losses.values.sum().backward();
      CHECK(is_close(y.grad()[0], tensor_of(c["gradient"]), 1e-9));
    }
  }
}

TEST_CASE("Ctc: another blank is the classes in another order") {
  torch::manual_seed(3);
  const Tensor y = torch::randn({2, 6, 4}, torch::kDouble);
  const Tensor t = torch::tensor({{1, 2, 2}, {3, 1, -100}});
  const Tensor turned = y.roll(-1, 2);  // class c becomes c - 1, the blank 3
  const Tensor labels = torch::tensor({{0, 1, 1}, {2, 0, -100}});
  CHECK(is_close(Ctc{.blank = 3}(turned, labels).values, Ctc{}(y, t).values));
}

TEST_CASE("Ctc: a sequence too long for its steps costs nothing with zero_infinity") {
  torch::manual_seed(4);
  Tensor y = torch::randn({2, 2, 3}, torch::kDouble).requires_grad_();
  const Tensor t = torch::tensor({{1, 1}, {1, 2}});  // 1 1 needs a blank between
  CHECK(contains(error_text([&] { Ctc{}(y, t); }), "row 0 needs 3 steps"));
  const SampleLosses losses = Ctc{.zero_infinity = true}(y, t);
  CHECK(losses.values[0].item<double>() == 0);
  CHECK(losses.values[1].item<double>() > 0);
  losses.values.sum().backward();
  CHECK(y.grad()[0].eq(0).all().item<bool>());
  CHECK(y.grad().isfinite().all().item<bool>());
}

TEST_CASE("Ctc: labels behind the end, the blank as a label, and other shapes are Errors") {
  const Tensor y = torch::zeros({2, 5, 3}, torch::kDouble);
  const auto text = [&](const Tensor& target) { return error_text([&] { Ctc{}(y, target); }); };
  CHECK(contains(text(torch::tensor({{1, 2}, {-100, 2}})), "label 2 behind the end"));
  CHECK(contains(text(torch::tensor({{1, 2}, {0, 2}})), "has the blank (0) as a label in row 1"));
  CHECK(contains(text(torch::tensor({{1, 2}, {1, 3}})), "class 3 in row 1"));
  CHECK(contains(text(torch::tensor({1, 2})), "Ctc expects logits [N, steps, C]"));
  CHECK(contains(error_text([&] {
                   Ctc{.blank = 3}(y, torch::tensor({{1}, {2}}));
                 }),
                 "the blank is class 3"));
}
