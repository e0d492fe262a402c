#include <algorithm>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/accumulated_losses.hpp"
#include "mtl/combine/gradients/upgrad.hpp"
#include "mtl/combine/losses/sum.hpp"
#include "mtl/combine/task_gradients.hpp"

namespace {

using mtl::Tensor;

/// Two squared errors of a linear model, in double precision.
struct LinearTasks {
  Tensor shared = torch::randn({3, 2}, torch::kDouble).requires_grad_();
  Tensor head = torch::randn({2}, torch::kDouble).requires_grad_();
  Tensor unused = torch::randn({2}, torch::kDouble).requires_grad_();
  Tensor x = torch::randn({12, 3}, torch::kDouble);
  Tensor y = torch::randn({12, 2}, torch::kDouble);
  Tensor weights = torch::rand({12}, torch::kDouble);  // of the second task's samples

  std::vector<Tensor> parameters() const { return {shared, head, shared, unused}; }

  /// Of the rows that are labelled: `labels` of the first task, all of the second.
  mtl::TaskLosses losses(int64_t first, int64_t count, int64_t labels) const {
    const auto out = x.narrow(0, first, count).matmul(shared);
    mtl::TaskLosses step;
    step.task_count = 3;
    const auto errors = (out - y.narrow(0, first, count)).square();
    const auto add = [&](int64_t task, Tensor value, int64_t samples, Tensor weight) {
      step.tasks.push_back(task);
      step.names.push_back(std::to_string(task));
      step.values.push_back(std::move(value));
      step.samples.push_back(samples);
      step.weights.push_back(std::move(weight));
      step.kinds.push_back(task == 0 ? mtl::LossKind::regression : mtl::LossKind::classification);
    };
    if (labels > 0) add(0, errors.select(1, 0).narrow(0, 0, labels).mean(), labels, {});
    const auto w = weights.narrow(0, first, count);
    add(2, (errors.select(1, 1) * w + (out * head).sum(1) * w).sum() / w.sum(), count, w.sum());
    return step;
  }
};

}  // namespace

TEST_CASE("AccumulatedLosses: losses and rows of the parts are those of the whole") {
  torch::manual_seed(4);
  LinearTasks model;
  mtl::AccumulatedLosses parts(model.parameters());
  parts.add(model.losses(0, 5, 5));
  parts.add(model.losses(5, 3, 2));
  // The labels of the whole are not its first rows: joined by hand.
  const auto first = model.losses(0, 5, 5), second = model.losses(5, 3, 2);
  auto whole = model.losses(0, 8, 8);
  whole.values[0] = (first.values[0] * 5 + second.values[0] * 2) / 7;
  whole.samples[0] = 7;

  const auto found = parts.losses();
  CHECK(found.tasks == std::vector<int64_t>{0, 2});
  CHECK(found.names == whole.names);
  CHECK(found.samples == std::vector<int64_t>{7, 8});
  CHECK(found.task_count == 3);
  CHECK(found.kind(1) == mtl::LossKind::classification);
  CHECK_FALSE(found.weights[0].defined());
  CHECK(found.weights[1].item<double>() == Approx(whole.weights[1].item<double>()));
  const std::vector<Tensor> wanted{model.shared, model.head, model.unused};
  const auto rows = mtl::task_gradients(found, wanted),
             expected = mtl::task_gradients(whole, wanted);
  for (size_t t = 0; t < 2; ++t) {
    CHECK(torch::allclose(found.values[t], whole.values[t], 1e-12));
    CHECK(torch::allclose(rows[0][t], expected[0][t], 1e-12));
  }
  CHECK_FALSE(rows[1][0].defined());  // the head is not the first task's
  CHECK(torch::allclose(rows[1][1], expected[1][1], 1e-12));
  CHECK_FALSE(rows[2][0].defined());
}

TEST_CASE("AccumulatedLosses: a task without a label in some parts, or in all") {
  torch::manual_seed(5);
  const LinearTasks model;
  mtl::AccumulatedLosses parts(model.parameters());
  parts.add(model.losses(0, 4, 0));
  CHECK(parts.losses().tasks == std::vector<int64_t>{2});
  parts.add(model.losses(4, 4, 3));
  const auto found = parts.losses(), alone = model.losses(4, 4, 3);
  CHECK(found.tasks == std::vector<int64_t>{0, 2});
  CHECK(torch::allclose(found.values[0], alone.values[0], 1e-12));
  CHECK(torch::allclose(mtl::task_gradients(found, {model.shared})[0][0],
                        mtl::task_gradients(alone, {model.shared})[0][0], 1e-12));
}

TEST_CASE("AccumulatedLosses: a backward pass that throws leaves no half of a part") {
  const Tensor weight = torch::ones({2}, torch::requires_grad());
  mtl::AccumulatedLosses parts({weight});
  const Tensor first = weight.square().sum(), gone = weight.exp().sum();
  gone.backward();  // its graph is freed
  CHECK_THROWS(parts.add(mtl::task_losses({first, gone})));
  CHECK(parts.losses().values.empty());
  parts.add(mtl::task_losses({weight.square().sum(), weight.exp().sum()}));
  CHECK(parts.losses().values[0].item<double>() == Approx(2));
}

TEST_CASE("AccumulatedLosses: the graph gives its gradients as often as it is asked") {
  torch::manual_seed(6);
  const LinearTasks model;
  mtl::AccumulatedLosses parts(model.parameters());
  parts.add(model.losses(0, 6, 6));
  parts.add(model.losses(6, 6, 6));
  mtl::Sum sum;
  mtl::UpGrad upgrad;
  const mtl::Parameters parameters{{model.shared}, {{}, {}, {model.head}}};
  sum.backward(parts.losses(), parameters);
  const Tensor once = model.shared.grad().clone();
  sum.backward(parts.losses(), parameters);
  CHECK(torch::allclose(model.shared.grad(), 2 * once, 1e-12));
  model.shared.mutable_grad().reset();
  upgrad.backward(parts.losses(), parameters);
  CHECK(model.shared.grad().isfinite().all().item<bool>());
}

TEST_CASE("AccumulatedLosses: without gradients the values only") {
  const LinearTasks model;
  mtl::AccumulatedLosses parts(model.parameters());
  {
    const torch::NoGradGuard no_grad;
    parts.add(model.losses(0, 12, 12));
  }
  const auto found = parts.losses();
  CHECK(torch::allclose(found.values[1], model.losses(0, 12, 12).values[1], 1e-12));
  CHECK_FALSE(found.values[1].requires_grad());
}

TEST_CASE("AccumulatedLosses: weights beyond a float's range beside gradients in float") {
  const Tensor parameter = torch::tensor({1.0F, 2.0F}).requires_grad_();
  const auto accumulated = [&](double unit) {
    mtl::AccumulatedLosses parts({parameter});
    for (const double weight : {2.0, 6.0}) {
      mtl::TaskLosses part;
      part.task_count = 1;
      part.tasks = {0};
      part.names = {"a"};
      part.values = {(weight * parameter).square().sum()};
      part.samples = {3};
      part.weights = {torch::tensor(weight * unit, torch::kDouble)};
      part.kinds = {mtl::LossKind::regression};
      parts.add(part);
    }
    return parts.losses();
  };
  const auto expected = accumulated(1);
  const Tensor gradient = mtl::task_gradients(expected, {parameter})[0][0];
  for (const double unit : {1e-100, 1e100}) {
    const auto found = accumulated(unit);
    CHECK(found.values[0].item<double>() == Approx(expected.values[0].item<double>()));
    CHECK(torch::allclose(mtl::task_gradients(found, {parameter})[0][0], gradient));
  }
}

TEST_CASE("AccumulatedLosses: a weight of 0 in all parts teaches nothing") {
  LinearTasks model;
  mtl::AccumulatedLosses parts(model.parameters());
  auto part = model.losses(0, 4, 4);
  part.weights[1] = torch::zeros({}, torch::kDouble);
  parts.add(part);
  const auto found = parts.losses();
  CHECK(found.values[1].item<double>() == 0);
  CHECK(mtl::task_gradients(found, {model.shared})[0][1].abs().max().item<double>() == 0);
}

TEST_CASE("AccumulatedLosses: a faulty part is named and not taken") {
  const LinearTasks model;
  mtl::AccumulatedLosses parts(model.parameters());
  parts.add(model.losses(0, 4, 4));
  const auto before = parts.losses();
  auto faulty = model.losses(4, 4, 4);
  faulty.values[1] = faulty.values[1] * std::numeric_limits<double>::infinity();
  CHECK(contains(error_text([&] { parts.add(faulty); }), "task \"2\": its loss is"));
  CHECK_THROWS_AS(parts.add(faulty), mtl::FaultyStep);
  CHECK(parts.losses().values[0].equal(before.values[0]));
  CHECK(parts.losses().samples == before.samples);
  auto other = model.losses(4, 4, 4);
  other.task_count = 5;
  CHECK(contains(error_text([&] { parts.add(other); }), "a part of a batch is of 5 tasks"));
}

TEST_CASE("AccumulatedLosses: clip shortens each task's shared gradient alone") {
  torch::manual_seed(4);
  LinearTasks model;
  const std::vector<Tensor> wanted{model.shared, model.head};
  const auto rows = mtl::task_gradients(model.losses(0, 8, 8), wanted);
  const double first = rows[0][0].norm().item<double>(), second = rows[0][1].norm().item<double>();
  const double between = (first + second) / 2;
  mtl::AccumulatedLosses parts(model.parameters(), {model.shared, model.shared});
  parts.add(model.losses(8, 4, 4));
  parts.begin_anew();
  parts.add(model.losses(0, 8, 8));
  parts.clip(between);
  const auto losses = parts.losses();
  const auto found = mtl::task_gradients(losses, wanted);
  const size_t longer = first > second ? 0 : 1, shorter = 1 - longer;
  CHECK(torch::allclose(found[0][longer], rows[0][longer] * (between / std::max(first, second)),
                        1e-12));
  CHECK(torch::allclose(found[0][shorter], rows[0][shorter], 1e-12));
  CHECK(torch::allclose(found[1][1], rows[1][1], 1e-12));  // the head's stays
  CHECK(contains(error_text([&] { parts.clip(0); }), "max_norm 0"));
}

TEST_CASE("AccumulatedLosses: an embedding that one part reads as a table, the other as a matrix") {
  torch::manual_seed(2);
  const Tensor table = torch::randn({5, 3}, torch::kDouble).requires_grad_();
  const auto rows = torch::tensor({1, 2, 1}, torch::kLong);
  const auto as_table = [&] {
    return torch::embedding(table, rows, -1, false, /*sparse=*/true).square().sum();
  };
  const auto as_matrix = [&] { return table.exp().sum(); };
  ((as_table() + as_matrix()) / 2).backward();
  const Tensor by_hand = table.grad().to_dense().clone();
  for (const bool table_first : {true, false}) {
    mtl::AccumulatedLosses parts({table});
    for (const bool first : {true, false})
      parts.add(mtl::task_losses({first == table_first ? as_table() : as_matrix()}));
    table.mutable_grad().reset();
    mtl::Sum().backward(parts.losses(), {.shared = {table}});
    CHECK(torch::allclose(table.grad().to_dense(), by_hand, 1e-12));
  }
}

TEST_CASE("AccumulatedLosses: what is computed from parameters is no parameter") {
  const Tensor leaf = torch::ones({2}).requires_grad_(), computed = 2 * leaf;
  CHECK(contains(error_text([&] {
                   mtl::AccumulatedLosses parts({leaf, computed});
                 }),
                 "parameter 1 of AccumulatedLosses, of shape [2], is computed from other"));
  CHECK(contains(error_text([&] {
                   mtl::AccumulatedLosses parts({leaf, Tensor()});
                 }),
                 "parameter 1 of AccumulatedLosses is an undefined"));
  CHECK(contains(error_text([&] { mtl::AccumulatedLosses parts({leaf}, {computed}); }),
                 "is computed from other"));
}

TEST_CASE("AccumulatedLosses: gradients of many parts are not lost in bfloat16") {
  Tensor w = torch::ones({2}, torch::kBFloat16).requires_grad_();
  mtl::AccumulatedLosses parts({w});
  for (int k = 0; k < 600; ++k) {
    auto part = mtl::task_losses({w.sum()});
    part.samples = {1};
    parts.add(part);
  }
  parts.losses().values[0].backward();
  CHECK(w.grad().scalar_type() == torch::kBFloat16);
  CHECK(w.grad().eq(1).all().item<bool>());
}
