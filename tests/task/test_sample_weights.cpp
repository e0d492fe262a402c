// Weight 0 leaves a row out, weight 2 is the row twice: the law of every loss and metric.
#include <limits>

#include "error_text.hpp"
#include "mtl/task/tasks.hpp"

using namespace mtl;

namespace {

Batch weighted_batch(Tensor target, Tensor weights) {
  Batch batch;
  batch.targets.insert("a", std::move(target));
  batch.sample_weights = std::move(weights);
  return batch;
}

Tensor absolute(const Tensor& y, const Tensor& t) { return (y - t).abs(); }
Tensor absolute_mean(const Tensor& y, const Tensor& t) { return (y - t).abs().mean(); }

}  // namespace

TEST_CASE("loss_of: sample weights for all tasks and of the task are multiplied") {
  const Task task{.name = "a", .loss = absolute};
  const Tensor y = torch::tensor({1.0, 2.0, 4.0, 8.0}), t = torch::zeros({4});
  Batch batch = weighted_batch(t, torch::tensor({1.0, 0.0, 2.0, 1.0}));
  batch.task_sample_weights.insert("a", torch::tensor({3.0, 1.0, 0.5, 0.0}));
  batch.task_sample_weights.insert("b", torch::tensor({0.0, 0.0, 0.0, 0.0}));
  const LossValue loss = loss_of(task, y, batch);
  CHECK(loss.samples == 2);
  CHECK(loss.weight.item<double>() == Approx(4));
  CHECK(loss.value.item<double>() == Approx((3 * 1 + 1 * 4) / 4.0));
}

TEST_CASE("loss_of: very small weights for all tasks and of the task are multiplied, too") {
  const Task task{.name = "a", .loss = absolute};
  const Tensor y = torch::tensor({1.0, 2.0, 4.0}), t = torch::zeros({3});
  Batch batch = weighted_batch(t, torch::tensor({1.0, 0.0, 2.0}) * 1e-30);
  batch.task_sample_weights.insert("a", torch::tensor({3.0, 1.0, 0.5}) * 1e-30);
  const LossValue loss = loss_of(task, y, batch);
  CHECK(loss.samples == 2);
  CHECK(loss.value.item<double>() == Approx((3 * 1 + 1 * 4) / 4.0));
}

TEST_CASE("loss_of: weights that are none are Errors that name task and row") {
  const Task task{.name = "a", .loss = absolute};
  const Tensor y = torch::zeros({3}), t = torch::zeros({3});
  for (const double wrong :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Tensor w = torch::ones({3});
    w[1] = wrong;
    const auto text = error_text([&] { loss_of(task, y, weighted_batch(t, w)); });
    INFO(text);
    CHECK(contains(text, "task \"a\": the sample weight in row 1"));
  }
  CHECK(contains(error_text([&] { loss_of(task, y, weighted_batch(t, torch::ones({2}))); }),
                 "task \"a\": the sample weights have shape [2], expected one a sample, [3]"));
  Batch both = weighted_batch(t, torch::tensor({1.0, 1.0, -1.0}));
  both.task_sample_weights.insert("a", torch::tensor({1.0, 1.0, -1.0}));
  CHECK(contains(error_text([&] { loss_of(task, y, both); }), "row 2"));
}

TEST_CASE("loss_of: all weights 0 are no samples") {
  const Task task{.name = "a", .loss = absolute};
  const LossValue loss =
      loss_of(task, torch::zeros({2}), weighted_batch(torch::zeros({2}), torch::zeros({2})));
  CHECK(loss.samples == 0);
  CHECK_FALSE(loss.value.defined());
}

TEST_CASE("Loss: one number takes weights that are equal where they are not 0") {
  const Task task{.name = "a", .loss = absolute_mean};
  const Tensor y = torch::tensor({1.0, 2.0, 4.0}), t = torch::zeros({3});
  const LossValue plain = loss_of(task, y, weighted_batch(t, {}));
  CHECK(plain.value.item<double>() == Approx(7 / 3.0));
  CHECK_FALSE(plain.weight.defined());
  const LossValue equal = loss_of(task, y, weighted_batch(t, torch::tensor({2.0, 0.0, 2.0})));
  CHECK(equal.value.item<double>() == Approx(2.5));
  CHECK(equal.weight.item<double>() == Approx(4));
  CHECK(
      contains(error_text([&] {
                 loss_of(task, y, weighted_batch(t, torch::tensor({2.0, 1.0, 2.0})));
               }),
               "task \"a\": the loss gives one number for 3 samples whose sample weights differ"));
}

TEST_CASE("Loss: errors name the row of the batch, not that among the labelled or weighted rows") {
  const Task task{.name = "a", .loss = CrossEntropy{}};
  const Tensor y = torch::zeros({5, 3});
  const Tensor t = torch::tensor({-100, 0, -100, 1, 7});
  CHECK(contains(error_text([&] { loss_of(task, y, weighted_batch(t, {})); }), "class 7 in row 4"));
  const Tensor w = torch::tensor({1.0, 0.0, 1.0, 1.0, 1.0});
  CHECK(contains(error_text([&] { loss_of(task, y, weighted_batch(t, w)); }), "class 7 in row 4"));
}

TEST_CASE("Metric: a name and a function, with or without weights") {
  const auto mean_error = [](const Tensor& y, const Tensor& t) {
    return (y - t).abs().mean().item<double>();
  };
  const Metric plain("error", mean_error);
  CHECK(plain.name == "error");
  CHECK_FALSE(plain.higher_is_better);
  const Metric gain(
      "gain",
      [](const Tensor& y, const Tensor&, const Tensor& w) {
        return (w.defined() ? y * w : y).sum().item<double>();
      },
      Better::higher);
  CHECK(gain.higher_is_better);
  const Tensor y = torch::tensor({1.0, 2.0, 4.0}), t = torch::zeros({3});
  CHECK(gain(y, t) == 7);
  CHECK(gain(y, t, torch::tensor({2.0, 0.0, 0.5})) == 4);
  CHECK(plain(y, t, torch::tensor({0.5, 0.0, 0.5})) == 2.5);
  CHECK(contains(error_text([&] {
                   plain(y, t, torch::tensor({2.0, 1.0, 0.5}));
                 }),
                 "the sample weights differ, but the metric takes none"));
}
