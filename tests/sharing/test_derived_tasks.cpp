#include <cmath>

#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

using mtl::NamedTensors;
using mtl::Tensor;

mtl::DerivedTask bought(mtl::Loss loss = mtl::BinaryCrossEntropy{}) {
  return {.task = {.name = "buy", .loss = std::move(loss), .metrics = {mtl::RocAuc{}}},
          .from = {"click", "buy_after_click"},
          .prediction = mtl::JointLogit{}};
}

mtl::DerivedTasks esmm() {
  mtl::TaskRegistry tasks;
  tasks.add({.name = "click",
             .head = mtl::nn::LinearHead(4, 1),
             .loss = mtl::BinaryCrossEntropy{},
             .metrics = {mtl::RocAuc{}}});
  tasks.add({.name = "buy_after_click",
             .head = mtl::nn::LinearHead(4, 1),
             .loss = mtl::NoLoss{},
             .metrics = {mtl::Accuracy{}}});
  tasks.add({.name = "age", .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}});
  return {mtl::HardSharing(tanh_layer(2, 4), tasks), {bought()}};
}

/// Six impressions, three clicks, one purchase; whether a click leads to one is known of clicks.
mtl::Batch impressions() {
  const double unknown = std::nan("");
  const auto real = torch::kDouble;
  return {{{"x", torch::randn({6, 2}, real)}},
          {{"click", torch::tensor({1.0, 0.0, 0.0, 1.0, 0.0, 1.0}, real)},
           {"buy_after_click", torch::tensor({0.0, unknown, unknown, 1.0, unknown, 0.0}, real)},
           {"buy", torch::tensor({0.0, 0.0, 0.0, 1.0, 0.0, 0.0}, real)},
           {"age", torch::randn({6}, real)}}};
}

}  // namespace

TEST_CASE("DerivedTasks: ESMM's losses and gradients are those of the product of probabilities") {
  torch::manual_seed(1);
  auto model = esmm();
  model->to(torch::kDouble);
  const mtl::Batch batch = impressions();
  const auto losses_of = [&] {
    return mtl::task_losses(*model, model->forward(batch.inputs), batch);
  };
  const mtl::TaskLosses losses = losses_of();
  REQUIRE(losses.names == std::vector<std::string>{"click", "age", "buy"});
  CHECK_FALSE(losses.representation.defined());
  const NamedTensors logits = model->model()->forward(batch.inputs);
  const Tensor product = logits["click"].sigmoid() * logits["buy_after_click"].sigmoid();
  CHECK(losses.values[2].item<double>() ==
        Approx(torch::binary_cross_entropy(product.squeeze(1), batch.targets["buy"]).item<double>())
            .epsilon(1e-12));
  losses.values[2].backward();
  torch::NoGradGuard no_grad;
  int64_t reached = 0;
  for (const auto& item : model->named_parameters()) {
    INFO(item.key());
    Tensor entries = item.value().view(-1);
    const bool has_gradient = item.value().grad().defined();
    CHECK(has_gradient == !contains(item.key(), "age"));
    if (!has_gradient) continue;
    ++reached;
    for (int64_t i = 0; i < entries.numel(); ++i) {
      const double value = entries[i].item<double>(), h = 1e-6;
      entries[i].fill_(value + h);
      const double above = losses_of().values[2].item<double>();
      entries[i].fill_(value - h);
      const double below = losses_of().values[2].item<double>();
      entries[i].fill_(value);
      CHECK(item.value().grad().view(-1)[i].item<double>() ==
            Approx((above - below) / (2 * h)).margin(1e-9));
    }
  }
  CHECK(reached == 6);
}

TEST_CASE("DerivedTasks: what several predictions reach is shared; copies and files") {
  torch::manual_seed(2);
  auto model = esmm();
  check_ownership(*model);
  CHECK(model->task_parameters("click").empty());
  CHECK(model->task_parameters("age").size() == 2);
  check_copies(model);
  // The tasks that nothing is derived from answer as before.
  const Tensor x = torch::randn({3, 2});
  CHECK(model->forward({{"x", x}})["age"].equal(model->model()->forward({{"x", x}})["age"]));
}

TEST_CASE("DerivedTasks: derived from derived ones, around any way of sharing") {
  const auto sum = [](const NamedTensors& p) {
    Tensor all;
    for (const auto& item : p) all = all.defined() ? all + item.value() : item.value();
    return all;
  };
  const mtl::SoftSharing soft(mtl::several(2, [] { return tanh_layer(2, 4); }),
                              tasks_named({"a", "b"}));
  mtl::DerivedTasks model(soft, {{{.name = "c", .loss = squared_error}, {"a", "b"}, sum},
                                 {{.name = "d", .loss = squared_error}, {"c", "b"}, sum}});
  const auto p = model->forward({{"x", torch::randn({3, 2})}});
  CHECK(p["d"].allclose(p["a"] + 2 * p["b"]));
  CHECK(p.keys() == task_names(*model));
}

TEST_CASE("DerivedTasks: wrong tasks are Errors when the model is made") {
  const auto text = [](mtl::DerivedTask derived) {
    return error_text([&] {
      mtl::DerivedTasks(
          mtl::HardSharing(tanh_layer(2, 4), tasks_named({"click", "buy_after_click"})),
          {std::move(derived)});
    });
  };
  CHECK(text(bought()).empty());
  auto wrong = bought();
  wrong.from = {"click", "view"};
  CHECK(contains(text(wrong), "task \"buy\" is derived from \"view\", which is no task before it"));
  wrong.from = {"click", "click"};
  CHECK(contains(text(wrong), "derived from \"click\" twice"));
  wrong.from = {};
  CHECK(contains(text(wrong), "derived from no task"));
  wrong = bought();
  wrong.prediction = nullptr;
  CHECK(contains(text(wrong), "task \"buy\" has no function"));
  wrong = bought();
  wrong.task.head = mtl::nn::LinearHead(4, 1);
  CHECK(contains(text(wrong), "has a head"));
  wrong = bought();
  wrong.task.name = "click";
  CHECK(contains(text(wrong), "registered already"));
  CHECK(contains(error_text([] { mtl::DerivedTasks(mtl::HardSharing(nullptr), {bought()}); }),
                 "the model is empty"));
}

TEST_CASE("DerivedTasks: a function that fails is named with what it was given") {
  auto derived = bought();
  derived.prediction = [](const NamedTensors& p) { return p["click"].view({7}); };
  mtl::DerivedTasks model(
      mtl::HardSharing(tanh_layer(2, 4), tasks_named({"click", "buy_after_click"})), {derived});
  CHECK(
      contains(error_text([&] {
                 model->forward({{"x", torch::randn({3, 2})}});
               }),
               "task \"buy\", which is derived from \"click\" [3, 1], \"buy_after_click\" [3, 1]"));
}
