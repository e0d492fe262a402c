#include <cmath>

#include "error_text.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("joint_logit: the logit of the product, also where a probability rounds to 0 or 1") {
  torch::manual_seed(1);
  const Tensor a = torch::randn({20}, torch::kDouble), b = torch::randn({20}, torch::kDouble);
  CHECK(is_close(joint_logit(a, b).sigmoid(), a.sigmoid() * b.sigmoid()));
  CHECK(joint_logit(a, b).equal(joint_logit(b, a)));
  const Tensor far = torch::tensor({800.0, -800.0, 800.0, -800.0}, torch::kDouble);
  const Tensor other = torch::tensor({800.0, -700.0, -3.0, 800.0}, torch::kDouble);
  const Tensor expected =
      torch::tensor({800 - std::log(2.0), -1500.0, -3.0, -800.0}, torch::kDouble);
  CHECK(is_close(joint_logit(far, other), expected));
  Tensor y = far.clone().requires_grad_();
  joint_logit(y, other).sum().backward();
  CHECK(is_close(y.grad(), torch::tensor({0.5, 1.0, 0.0, 1.0}, torch::kDouble)));
  CHECK(contains(error_text([&] { joint_logit(a, a.unsqueeze(1)); }), "[20] and [20, 1]"));
}

TEST_CASE("NoLoss: no part of a step, while the metrics of its labels count") {
  const Task task{.name = "cvr", .loss = NoLoss{}, .metrics = {Accuracy{}}};
  const Tensor y = torch::tensor({1.0, -1.0, 2.0}, torch::requires_grad());
  Batch batch;
  batch.targets.insert("cvr", torch::tensor({1.0, std::nan(""), 0.0}));
  const LossValue loss = loss_of(task, y, batch);
  CHECK(loss.samples == 0);
  CHECK_FALSE(loss.value.defined());
  CHECK(metrics_of(task, y, batch.targets["cvr"])[0] == 0.5);
}
