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

TEST_CASE("CrossEntropy: sequences with lengths are the mean over their tokens") {
  torch::manual_seed(6);
  const Tensor y = torch::randn({3, 4, 5}, torch::kDouble).requires_grad_();  // [N, C, L]
  const Tensor t = torch::randint(4, {3, 5}, torch::kLong);
  const Tensor lengths = torch::tensor({5, 0, 2});
  const Loss loss = CrossEntropy{};
  const LossValue value = loss(y, with_lengths(t, lengths));
  Tensor sum = torch::zeros({}, torch::kDouble);
  for (int64_t n = 0; n < 3; ++n)
    for (int64_t step = 0; step < lengths[n].item<int64_t>(); ++step)
      sum = sum - y[n].select(1, step).log_softmax(0)[t[n][step].item<int64_t>()];
  CHECK(is_close(value.value, sum / 7));
  CHECK(value.samples == 2);
  value.value.backward();
  CHECK(y.grad()[1].eq(0).all().item<bool>());
  CHECK(y.grad()[2].slice(1, 2).eq(0).all().item<bool>());
  CHECK(y.grad()[2].slice(1, 0, 2).ne(0).all().item<bool>());
}

TEST_CASE("with_lengths: real values, further dimensions, and wrong lengths") {
  const Tensor real = torch::ones({2, 3, 2});
  const Tensor filled = with_lengths(real, torch::tensor({3, 1}));
  CHECK(filled.isnan().sum().item<int64_t>() == 4);
  CHECK(filled[1].slice(0, 1).isnan().all().item<bool>());
  CHECK(contains(error_text([&] {
                   with_lengths(real, torch::tensor({3, 4}));
                 }),
                 "the length of row 1 is 4, but the target has 3 steps"));
  CHECK(contains(error_text([&] { with_lengths(real, torch::tensor({3})); }), "the lengths [1]"));
  CHECK(contains(error_text([&] {
                   with_lengths(real.to(torch::kByte), torch::tensor({3, 1}));
                 }),
                 "type Byte"));
}
