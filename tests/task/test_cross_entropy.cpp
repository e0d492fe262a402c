#include "error_text.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("CrossEntropy: a dense class target with missing pixels") {
  const Tensor y = torch::randn({2, 3, 4}, torch::kDouble);
  Tensor t = torch::randint(3, {2, 4}, torch::kLong);
  t[0][1] = missing_class;
  t[1][3] = missing_class;
  const Tensor w = torch::tensor({1.0, 2.0, 0.5}, torch::kDouble);
  const Tensor expected = torch::cross_entropy_loss(y, t, w);
  const Task task{.name = "pixels", .loss = CrossEntropy{.class_weights = w}};
  Batch batch;
  batch.targets.insert("pixels", t);
  CHECK(is_close(loss_of(task, y, batch).value, expected));
}

TEST_CASE("CrossEntropy: a class of weight zero is left out") {
  const CrossEntropy loss{.class_weights = torch::tensor({0.0, 1.0}, torch::kDouble)};
  const Tensor y = torch::randn({3, 2}, torch::kDouble).requires_grad_();
  const Tensor only_left_out = torch::zeros({3}, torch::kLong);
  const Tensor mean = loss.mean(y, only_left_out).value;
  CHECK(mean.item<double>() == 0);
  mean.backward();
  CHECK(y.grad().eq(0).all().item<bool>());
  CHECK(loss(y, only_left_out).weights.sum().item<double>() == 0);
}

TEST_CASE("CrossEntropy: labels in any integer type; an unsigned one has no missing labels") {
  torch::manual_seed(5);
  const Tensor y = torch::randn({3, 200});
  const Tensor t = torch::tensor({0, 156, 7});
  const Loss loss = CrossEntropy{};
  const LossValue expected = loss(y, t);
  const LossValue bytes = loss(y, t.to(torch::kByte));
  CHECK(bytes.samples == 3);
  CHECK(bytes.value.equal(expected.value));
  CHECK(loss(y, torch::tensor({0, -100, 7}, torch::kInt)).samples == 2);
}
