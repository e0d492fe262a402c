#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/task/tasks.hpp"

namespace {

torch::Tensor squared_error(const torch::Tensor& p, const torch::Tensor& t) {
  return (p.squeeze(1) - t).square();
}

}  // namespace

TEST_CASE("TaskRegistry: order of registration, look-up by name, references that stay valid") {
  mtl::TaskRegistry tasks;
  mtl::Task& first = tasks.add({.name = "first", .loss = squared_error});
  for (const char* name : {"b", "c", "d", "e", "f"})
    tasks.add({.name = name, .loss = squared_error});
  CHECK(&first == &tasks.at("first"));
  CHECK(tasks.index_of("c") == 2);
  CHECK(tasks.size() == 6);
  CHECK(contains(error_text([&] { tasks.at("g"); }),
                 "no task \"g\"; registered: first, b, c, d, e, f"));
}

TEST_CASE("TaskRegistry: a name twice, empty or with a dot, and a task without a loss are errors") {
  mtl::TaskRegistry tasks;
  tasks.add({.name = "a", .loss = squared_error});
  CHECK(contains(error_text([&] { tasks.add({.name = "a", .loss = squared_error}); }),
                 "registered already"));
  CHECK(contains(error_text([&] { tasks.add({.name = "", .loss = squared_error}); }),
                 "needs a name"));
  CHECK(contains(error_text([&] { tasks.add({.name = "a.b", .loss = squared_error}); }), "dot"));
  CHECK(contains(error_text([&] { tasks.add({.name = "b"}); }), "has no loss"));
}

TEST_CASE("TaskRegistry: metrics that a name would not tell apart are errors") {
  const auto fault = [](std::vector<mtl::Metric> metrics) {
    return error_text([&] {
      mtl::TaskRegistry{
          {.name = "depth", .loss = mtl::MeanAbsoluteError{}, .metrics = std::move(metrics)}};
    });
  };
  CHECK(contains(fault({mtl::DepthWithin{}, mtl::DepthWithin{.ratio = 1.5625}}),
                 "task \"depth\": several metrics have the name \"delta\""));
  CHECK(contains(fault({mtl::Mae{.name = "loss"}}), "has the name of its loss, \"loss\""));
  CHECK(fault({mtl::DepthWithin{}, mtl::DepthWithin{.ratio = 1.5625, .name = "delta_2"}}).empty());
}

TEST_CASE("TaskRegistry: a metric of logits beside a loss of probabilities is an error") {
  const auto fault = [](mtl::Loss loss, mtl::Metric metric) {
    return error_text([&] {
      mtl::TaskRegistry{{.name = "click", .loss = std::move(loss), .metrics = {std::move(metric)}}};
    });
  };
  const mtl::Loss of_probabilities = torch::nn::BCELoss();
  for (const mtl::Metric& metric : {mtl::Metric(mtl::Accuracy{}), mtl::Metric(mtl::MeanIou{}),
                                    mtl::Metric(mtl::BrierScore{}), mtl::Metric(mtl::SoftBce{})}) {
    CHECK(
        contains(fault(of_probabilities, metric), "task \"click\": its loss takes probabilities"));
    CHECK(fault(torch::nn::BCEWithLogitsLoss(), metric).empty());
  }
  CHECK(fault(of_probabilities, mtl::RocAuc{}).empty());
}

TEST_CASE("Loss: any callable; only labelled samples reach it, and weights make a weighted mean") {
  mtl::Loss loss = squared_error;
  const auto prediction = torch::tensor({{1.0}, {2.0}, {5.0}});
  const auto target = torch::tensor({0.0, std::nan(""), 1.0});
  const auto value = loss(prediction, target);
  CHECK(value.samples == 2);
  CHECK(value.value.item<double>() == Approx((1 + 16) / 2.0));

  mtl::Loss weighted = [](const torch::Tensor& p, const torch::Tensor& t) {
    return mtl::SampleLosses{squared_error(p, t), t + 1};
  };
  CHECK(weighted(prediction, target).value.item<double>() == Approx((1 * 1 + 16 * 2) / 3.0));
}

TEST_CASE("Loss: what is neither one real value a sample nor one number is an Error") {
  const auto fault = [](mtl::Loss loss) {
    return error_text([&] { loss(torch::zeros({3, 1}), torch::zeros({3})); });
  };
  CHECK(contains(fault([](const torch::Tensor& p, const torch::Tensor&) { return p; }),
                 "the loss gave shape [3, 1] for 3 samples"));
  CHECK(contains(fault([](const torch::Tensor& p, const torch::Tensor& t) {
                   return mtl::SampleLosses{squared_error(p, t), torch::ones({2})};
                 }),
                 "shape [3] with weights [2] for 3 samples"));
  CHECK(contains(fault([](const torch::Tensor& p, const torch::Tensor& t) {
                   return squared_error(p, t).to(torch::kLong);
                 }),
                 "values of type Long"));
}

TEST_CASE("Loss: no label at all costs nothing and teaches nothing") {
  mtl::Loss loss = squared_error;
  CHECK(loss(torch::zeros({2, 1}), torch::full({2}, std::nan(""))).samples == 0);
  mtl::Task task{.name = "a", .loss = squared_error};
  CHECK(mtl::loss_of(task, torch::zeros({2, 1}), mtl::Batch()).samples == 0);
}

TEST_CASE(
    "Loss: predictions at missing labels get no gradient, also where they are NaN themselves") {
  mtl::Loss loss = squared_error;
  auto prediction = torch::tensor({{1.0}, {std::nan("")}}, torch::requires_grad());
  loss(prediction, torch::tensor({0.0, std::nan("")})).value.backward();
  CHECK(prediction.grad().equal(torch::tensor({{2.0}, {0.0}})));
}

TEST_CASE("loss_of: errors carry the task's name") {
  mtl::Task task{.name = "rain", .loss = squared_error};
  mtl::Batch batch;
  batch.targets.insert("rain", torch::zeros({3}));
  CHECK(contains(error_text([&] {
                   mtl::loss_of(task, torch::zeros({2, 1}), batch);
                 }),
                 "task \"rain\": prediction [2, 1] and target [3]"));
}
