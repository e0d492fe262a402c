#include "loss_checks.hpp"
#include "mtl/data/data.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/train/train.hpp"

using namespace loss_checks;

namespace {

NamedTensors state_after(Famo& famo) {
  famo.combine(constant_losses({1.0, 2.0}));
  famo.after_step(constant_losses({0.9, 1.9}));
  return famo.state_dict();
}

}  // namespace

TEST_CASE("Famo: golden values, gradients and weights by step") {
  for (const auto& c : golden("scalarizers.json")["cases"]) {
    const auto& expected = c["expected"]["famo"];
    Famo famo({.lr = expected["lr"], .weight_decay = expected["weight_decay"]});
    for (size_t step = 0; step < expected["steps"].size(); ++step) {
      check_step(famo, losses_of(c["losses"][step]), expected["steps"][step]);
      CHECK(famo.wants_losses_after_step());
      famo.after_step(losses_of(c["losses"][step + 1]));
      const Eigen::VectorXd found = famo.logits();
      check_close(torch::tensor(std::vector<double>(found.begin(), found.end()), torch::kDouble),
                  tensor_of(expected["steps"][step]["logits_after"]));
    }
  }
}

TEST_CASE("Famo: a batch without labels is no step and has no second look") {
  Famo famo;
  TaskLosses none;
  none.task_count = 2;
  famo.backward(none, {});
  CHECK_FALSE(famo.wants_losses_after_step());
  famo.after_step(none);
  const NamedTensors before = state_after(famo);
  famo.backward(none, {});
  CHECK_FALSE(famo.wants_losses_after_step());
  famo.after_step(none);
  check_same(famo.state_dict(), before);
  CHECK(contains(error_text([&] {
                   famo.after_step(constant_losses({1.0, 2.0}));
                 }),
                 "without a step"));
  famo.combine(constant_losses({1.0, 2.0}));
  CHECK(contains(error_text([&] { famo.after_step(constant_losses({1.0})); }),
                 "losses of 1 tasks, the step before it had 2"));
}

TEST_CASE("Famo: an absent task keeps its weight and its moments") {
  Famo famo;
  const std::vector<double> row = {1.0, 2.0, 3.0}, after = {0.9, 1.0, 2.9};
  famo.combine(constant_losses(row));
  famo.after_step(constant_losses(after));
  const NamedTensors before = famo.state_dict();
  famo.combine(only(constant_losses(row), {0, 2}));
  famo.after_step(only(constant_losses({0.5, 1.0, 2.9}), {0, 2}));
  for (const auto& item : famo.state_dict()) {
    CHECK(torch::equal(item.value()[1], before[item.key()][1]));
    CHECK_FALSE(torch::equal(item.value(), before[item.key()]));
  }
}

TEST_CASE("Famo: losses below their bound or not finite are Errors, and nothing has changed") {
  Famo famo;
  const NamedTensors before = state_after(famo);
  for (const double wrong : {-0.5, not_a_number, infinity, -infinity}) {
    INFO(wrong);
    const std::string text = error_text([&] { famo.combine(constant_losses({1.0, wrong})); });
    CHECK(contains(text, "task \"1\": its loss is "));
    if (wrong == -0.5) CHECK(contains(text, "min_losses, add a constant to the loss, or choose"));
    CHECK_FALSE(famo.wants_losses_after_step());
    famo.combine(constant_losses({1.0, 2.0}));
    CHECK(contains(error_text([&] {
                     famo.after_step(constant_losses({1.0, wrong}));
                   }),
                   "task \"1\": its loss is "));
    check_same(famo.state_dict(), before);
  }
  Famo bounded({.min_losses = {-1.0, 0.0}});
  CHECK(std::isfinite(bounded.combine(constant_losses({-0.5, 0.0})).item<double>()));
  CHECK(contains(error_text([&] {
                   bounded.combine(constant_losses({-1.5, 0.0}));
                 }),
                 "task \"0\": its loss is -1.5, below the -1"));
}

TEST_CASE("Famo: states, and the sum is what it is watched by") {
  check_resume([] { return std::make_unique<Famo>(); });
  Famo famo;
  CHECK(famo.total(constant_losses({2.0, 4.0})).item<double>() == 6);
  state_after(famo);
  CHECK(famo.total(constant_losses({2.0, 4.0})).item<double>() == 6);
  NamedTensors wrong = famo.state_dict();
  wrong["square"] = torch::zeros({3});
  CHECK(contains(error_text([&] { famo.load_state_dict(wrong); }), "\"square\" of shape [3]"));
}

TEST_CASE("Famo: options that mean nothing are Errors") {
  for (const double wrong : {0.0, -1.0, not_a_number, infinity})
    CHECK(contains(error_text([&] { Famo({.lr = wrong}); }), "lr"));
  for (const double wrong : {-1.0, not_a_number, infinity})
    CHECK(contains(error_text([&] { Famo({.weight_decay = wrong}); }), "weight_decay"));
  for (const double wrong : {not_a_number, infinity})
    CHECK(contains(error_text([&] { Famo({.min_losses = {wrong}}); }), "min_losses"));
  Famo two({.min_losses = {0, 1}});
  CHECK(contains(error_text([&] { two.set_task_count(3); }), "2 min_losses, but 3 tasks"));
}

TEST_CASE("Famo: one task") {
  const TaskLosses losses = constant_losses({0.5});
  Famo().combine(losses).backward();
  CHECK(losses.values[0].grad().item<double>() == Approx(1));
}

TEST_CASE("Famo: a loss that falls below its bound by the step goes the way of faulty batches") {
  // One number w = 1 per task, both losses w, and a step that makes one of them negative.
  struct Falling : Model {
    Falling()
        : Model(TaskRegistry{{.name = "deep", .loss = mean}, {.name = "flat", .loss = mean}}) {
      w = register_parameter("w", torch::ones({2}));
    }
    static Tensor mean(const Tensor& prediction, const Tensor&) { return prediction.mean(); }
    NamedTensors forward(const NamedTensors& inputs) override {
      const int64_t rows = inputs["x"].size(0);
      NamedTensors predictions;
      predictions.insert("deep", w[0].expand({rows}));
      predictions.insert("flat", (w[1] * 0.1 + 1).expand({rows}));
      return predictions;
    }
    Tensor w;
  };
  for (const auto policy : {FaultyBatch::stop, FaultyBatch::skip}) {
    const auto model = std::make_shared<Falling>();
    NamedTensors inputs, targets;
    inputs.insert("x", torch::zeros({2, 1}));
    for (const char* task : {"deep", "flat"}) targets.insert(task, torch::zeros({2}));
    TensorDataset data(inputs, targets);
    BatchLoader loader(data, {.batch_size = 2});
    torch::optim::SGD sgd(model->parameters(), 4.0);
    Famo famo;
    Trainer trainer(*model, sgd, famo, {.epochs = 1, .faulty_batch = policy});
    const std::string text = error_text([&] { trainer.fit(loader); });
    if (policy == FaultyBatch::stop) {
      CHECK(contains(text, "task \"deep\": its loss is -"));
      CHECK(contains(text, "epoch 1, batch 1"));
    } else {
      CHECK(text.empty());
      CHECK(famo.logits().isZero());
    }
  }
}
