#include <cmath>
#include <functional>

#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/task/tasks.hpp"

using namespace mtl;

namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();
const auto real = torch::kDouble;

/// A loss with predictions and targets that it takes; `hide(target, sample)` removes a sample's
/// label.
struct Case {
  std::string name;
  std::function<SampleLosses(const Tensor&, const Tensor&)> loss;
  std::function<Tensor(const Tensor&, const Tensor&)> mean;  // empty: it has none
  Tensor prediction, target;
};

template <class L>
Case make_case(std::string name, L loss, Tensor prediction, Tensor target) {
  std::function<Tensor(const Tensor&, const Tensor&)> mean;
  if constexpr (requires { loss.mean(prediction, target); }) {
    mean = [loss](const Tensor& y, const Tensor& t) { return MeanLoss{loss.mean(y, t)}.value; };
  }
  return {std::move(name), loss, mean, std::move(prediction), std::move(target)};
}

std::vector<Case> cases() {
  torch::manual_seed(1);
  const auto y = [](at::IntArrayRef sizes) { return torch::randn(sizes, real); };
  const auto classes = [](at::IntArrayRef sizes, int64_t count) {
    return torch::randint(count, sizes, torch::kLong);
  };
  const Tensor w = torch::tensor({0.5, 2.0, 1.0, 0.25}, real);
  return {
      make_case("mse", MeanSquaredError{}, y({6}), y({6})),
      make_case("mse, outputs", MeanSquaredError{}, y({6, 3}), y({6, 3})),
      make_case("mse, column", MeanSquaredError{}, y({6, 1}), y({6})),
      make_case("mae", MeanAbsoluteError{}, y({6, 3}), y({6, 3})),
      make_case("huber", Huber{.delta = 0.7}, y({6, 3}), y({6, 3})),
      make_case("gaussian", GaussianNll{}, y({6, 4}), y({6, 2})),
      make_case("gaussian, one value", GaussianNll{}, y({6, 2}), y({6})),
      make_case("poisson", Poisson{}, y({6, 2}), torch::poisson(torch::full({6, 2}, 3.0, real))),
      make_case("quantile", Quantile{}, y({6, 3}), y({6})),
      make_case("quantile, values", Quantile{.quantiles = {0.2, 0.7}}, y({6, 6}), y({6, 3})),
      make_case("ce", CrossEntropy{}, y({6, 4}), classes({6}, 4)),
      make_case("ce, weights", CrossEntropy{.class_weights = w}, y({6, 4}), classes({6}, 4)),
      make_case("ce, smoothing", CrossEntropy{.label_smoothing = 0.1}, y({6, 4}), classes({6}, 4)),
      make_case("ce, both", CrossEntropy{.class_weights = w, .label_smoothing = 0.1}, y({6, 4}),
                classes({6}, 4)),
      make_case("ce, pixels", CrossEntropy{.class_weights = w, .label_smoothing = 0.1},
                y({6, 4, 2, 3}), classes({6, 2, 3}, 4)),
      make_case("ce, column", CrossEntropy{}, y({6, 4}), classes({6, 1}, 4)),
      make_case("bce", BinaryCrossEntropy{}, y({6}), torch::rand({6}, real)),
      make_case("bce, outputs",
                BinaryCrossEntropy{.pos_weight = torch::tensor({1.0, 3.0, 0.5}, real)}, y({6, 3}),
                torch::rand({6, 3}, real)),
      make_case("focal", Focal{.class_weights = w}, y({6, 4}), classes({6}, 4)),
      make_case("focal, pixels", Focal{.gamma = 0.5}, y({6, 4, 5}), classes({6, 5}, 4)),
      make_case("dice", Dice{}, y({6, 4, 2, 3}), classes({6, 2, 3}, 4)),
      make_case("dice, one class", Dice{}, y({6, 1, 7}), torch::rand({6, 7}, real)),
      make_case("ctc", Ctc{}, y({6, 5, 4}), 1 + classes({6, 2}, 3)),
  };
}

void hide(Tensor& target, int64_t sample) {
  if (target.is_floating_point()) {
    target[sample].fill_(absent);
  } else {
    target[sample].fill_(missing_class);
  }
}

Tensor weighted_mean(const SampleLosses& losses) {
  return (losses.values * losses.weights).sum() / losses.weights.sum();
}

bool close(const Tensor& a, const Tensor& b, double tolerance = 1e-12) {
  return torch::allclose(a, b, tolerance, tolerance);
}

}  // namespace

TEST_CASE("Losses: one value and one weight a sample") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const SampleLosses losses = c.loss(c.prediction, c.target);
    REQUIRE(losses.values.sizes() == at::IntArrayRef({6}));
    REQUIRE(losses.weights.sizes() == at::IntArrayRef({6}));
    for (int64_t n = 0; n < 6; ++n) {
      const SampleLosses alone = c.loss(c.prediction.narrow(0, n, 1), c.target.narrow(0, n, 1));
      CHECK(close(alone.values[0], losses.values[n]));
      CHECK(close(alone.weights[0], losses.weights[n]));
    }
  }
}

TEST_CASE("Losses: gradients agree with central differences") {
  for (const Case& c : cases()) {
    INFO(c.name);
    Tensor y = c.prediction.clone().requires_grad_();
    weighted_mean(c.loss(y, c.target)).backward();
    Tensor moved = c.prediction.clone();
    const double h = 1e-6;
    for (int64_t i = 0; i < moved.numel(); ++i) {
      Tensor entry = moved.view(-1)[i];
      const double value = entry.item<double>();
      entry.fill_(value + h);
      const double above = weighted_mean(c.loss(moved, c.target)).item<double>();
      entry.fill_(value - h);
      const double below = weighted_mean(c.loss(moved, c.target)).item<double>();
      entry.fill_(value);
      CHECK(y.grad().view(-1)[i].item<double>() == Approx((above - below) / (2 * h)).margin(1e-8));
    }
  }
}

TEST_CASE("Losses: the mean of a complete batch equals the weighted mean by sample") {
  for (const Case& c : cases()) {
    if (!c.mean) continue;
    INFO(c.name);
    Tensor y = c.prediction.clone().requires_grad_();
    Tensor z = c.prediction.clone().requires_grad_();
    const Tensor fast = c.mean(y, c.target);
    const Tensor slow = weighted_mean(c.loss(z, c.target));
    CHECK(close(fast, slow));
    fast.backward();
    slow.backward();
    CHECK(close(y.grad(), z.grad()));
  }
}

TEST_CASE("Losses: a missing label costs nothing and teaches nothing, whatever was predicted") {
  for (const Case& c : cases()) {
    INFO(c.name);
    Tensor target = c.target.clone();
    hide(target, 1);
    hide(target, 4);
    for (const double predicted : {0.3, absent, std::numeric_limits<double>::infinity()}) {
      Tensor y = c.prediction.clone();
      y[1].fill_(predicted);
      y.requires_grad_();
      const SampleLosses losses = c.loss(y, target);
      CHECK(losses.values[1].item<double>() == 0);
      CHECK(losses.weights[1].item<double>() == 0);
      weighted_mean(losses).backward();
      CHECK(y.grad()[1].eq(0).all().item<bool>());
      CHECK(y.grad()[4].eq(0).all().item<bool>());

      const Tensor kept = torch::tensor({0, 2, 3, 5});
      Tensor z = c.prediction.index_select(0, kept).requires_grad_();
      const Tensor rest = weighted_mean(c.loss(z, c.target.index_select(0, kept)));
      CHECK(close(weighted_mean(losses), rest));
      rest.backward();
      CHECK(close(y.grad().index_select(0, kept), z.grad()));
    }
    for (int64_t n = 0; n < 6; ++n) hide(target, n);
    CHECK(c.loss(c.prediction, target).weights.sum().item<double>() == 0);
  }
}

TEST_CASE("Losses: a sample labelled in part uses its labelled outputs") {
  const Tensor y = torch::tensor({{1.0, 2.0, 3.0}, {0.0, 0.0, 5.0}}, real).requires_grad_();
  const Tensor t = torch::tensor({{0.0, absent, 1.0}, {1.0, 1.0, 2.0}}, real);
  const SampleLosses losses = MeanSquaredError{}(y, t);
  CHECK(close(losses.values, torch::tensor({2.5, 11.0 / 3}, real)));
  CHECK(close(weighted_mean(losses), torch::tensor((1.0 + 4 + 1 + 1 + 9) / 5, real)));
  losses.values.sum().backward();
  CHECK(y.grad()[0][1].item<double>() == 0);

  const Task task{.name = "several", .loss = MeanSquaredError{}};
  Batch batch;
  batch.targets.insert("several", t);
  CHECK(loss_of(task, y, batch).value.item<double>() == Approx(3.2));
}

TEST_CASE("Losses: a dense class target with missing pixels") {
  const Tensor y = torch::randn({2, 3, 4}, real);
  Tensor t = torch::randint(3, {2, 4}, torch::kLong);
  t[0][1] = missing_class;
  t[1][3] = missing_class;
  const Tensor w = torch::tensor({1.0, 2.0, 0.5}, real);
  const Tensor expected = torch::cross_entropy_loss(y, t, w);
  const Task task{.name = "pixels", .loss = CrossEntropy{.class_weights = w}};
  Batch batch;
  batch.targets.insert("pixels", t);
  CHECK(close(loss_of(task, y, batch).value, expected));
}

TEST_CASE("Losses: values are LibTorch's where it has the loss") {
  torch::manual_seed(2);
  const Tensor y = torch::randn({8, 4}, real);
  const Tensor labels = torch::tensor({0, 1, 2, 3, -100, 1, 1, 0});
  const Tensor w = torch::tensor({0.5, 2.0, 1.0, 0.25}, real);
  for (const double smoothing : {0.0, 0.2}) {
    const SampleLosses losses =
        CrossEntropy{.class_weights = w, .label_smoothing = smoothing}(y, labels);
    CHECK(close(weighted_mean(losses),
                torch::cross_entropy_loss(y, labels, w, at::Reduction::Mean, -100, smoothing)));
  }
  const Tensor mean_and_log_variance = torch::randn({8, 2}, real);
  const Tensor t = torch::randn({8}, real);
  const Tensor m = mean_and_log_variance.select(1, 0);
  const Tensor variance = mean_and_log_variance.select(1, 1).exp();
  CHECK(close(weighted_mean(GaussianNll{}(mean_and_log_variance, t)),
              (0.5 * (variance.log() + (t - m).square() / variance)).mean()));

  const Tensor steps = torch::randn({3, 6, 4}, real);
  const Tensor sequences = torch::tensor({{1, 2, 2}, {3, -100, -100}, {2, 1, -100}});
  const Tensor expected = torch::ctc_loss(steps.log_softmax(2).transpose(0, 1),
                                          sequences.clamp_min(0), torch::full({3}, 6, torch::kLong),
                                          torch::tensor({3, 1, 2}), 0, at::Reduction::Mean);
  CHECK(close(weighted_mean(Ctc{}(steps, sequences)), expected));

  CHECK(close(Focal{.gamma = 0}(y, labels).values, CrossEntropy{}(y, labels).values));
}

TEST_CASE("Dice: a perfect mask costs nothing, the opposite one almost everything") {
  const Tensor t = torch::tensor({{1.0, 1.0, 0.0, 0.0}}, real);
  const Tensor logits = (t * 2 - 1) * 100;
  CHECK(Dice{.smooth = 1e-6}(logits, t).values[0].item<double>() == Approx(0).margin(1e-6));
  CHECK(Dice{.smooth = 1e-6}(-logits, t).values[0].item<double>() == Approx(1));
}

TEST_CASE("BinaryCrossEntropy: soft scores match the golden values") {
  const auto file = golden("metrics.json")["soft_bce"][0];
  const Tensor logits = tensor_of(file["logits"]);
  const Tensor scores = tensor_of(file["scores"]);
  const SampleLosses losses = BinaryCrossEntropy{}(logits, scores);
  CHECK(close(losses.values, tensor_of(file["bce_by_sample"])));
  CHECK(BinaryCrossEntropy{}.mean(logits, scores).item<double>() ==
        Approx(file["bce_mean"].get<double>()).epsilon(1e-12));
}

TEST_CASE("Losses: a class of weight zero is left out") {
  const CrossEntropy loss{.class_weights = torch::tensor({0.0, 1.0}, real)};
  const Tensor y = torch::randn({3, 2}, real).requires_grad_();
  const Tensor only_left_out = torch::zeros({3}, torch::kLong);
  const Tensor mean = loss.mean(y, only_left_out).value;
  CHECK(mean.item<double>() == 0);
  mean.backward();
  CHECK(y.grad().eq(0).all().item<bool>());
  CHECK(loss(y, only_left_out).weights.sum().item<double>() == 0);
}

TEST_CASE("Losses: wrong input is an Error that says what was found and expected") {
  const Tensor y = torch::zeros({4, 3}, real);
  const Tensor t = torch::zeros({4}, real);
  CHECK(contains(error_text([&] { MeanSquaredError{}(y, t); }), "[4, 3]"));
  CHECK(contains(error_text([&] { MeanSquaredError{}.mean(y, t); }), "[4]"));
  CHECK(contains(error_text([&] {
                   CrossEntropy{}(y, torch::tensor({0, 1, 7, 2}));
                 }),
                 "class 7 in row 2"));
  CHECK(contains(error_text([&] { CrossEntropy{}(y, torch::tensor({0, -1, 1, 2})); }), "class -1"));
  CHECK(contains(error_text([&] { CrossEntropy{}(y, t); }), "torch::kLong"));
  CHECK(contains(error_text([&] {
                   CrossEntropy{}(y, torch::zeros({4, 2}, torch::kLong));
                 }),
                 "[4, 2]"));
  CHECK(contains(error_text([&] {
                   CrossEntropy{.class_weights = torch::ones({2})}(y,
                                                                   torch::zeros({4}, torch::kLong));
                 }),
                 "2 class weights"));
  const Tensor scores = torch::tensor({0.2, 0.4, absent, 1.5}, real);
  CHECK(contains(error_text([&] { BinaryCrossEntropy{}(torch::zeros({4}, real), scores); }),
                 "score 1.5 in row 3"));
  CHECK(contains(error_text([&] { GaussianNll{}(y, t); }), "2 K"));
  CHECK(contains(error_text([&] {
                   Ctc{}(torch::zeros({1, 2, 3}, real), torch::tensor({{1, 1}}));
                 }),
                 "needs 3 steps"));
  CHECK(contains(error_text([&] {
                   Ctc{}(torch::zeros({1, 5, 3}, real), torch::tensor({{1, 0}}));
                 }),
                 "blank"));
  const Task task{.name = "weather", .loss = CrossEntropy{}};
  Batch batch;
  batch.targets.insert("weather", torch::tensor({0, 1, 7, 2}));
  CHECK(contains(error_text([&] { loss_of(task, y, batch); }), "task \"weather\""));
}

TEST_CASE("Losses: a wrong option is an Error when a task gets the loss") {
  CHECK(contains(error_text([] { Loss(Huber{.delta = 0}); }), "delta"));
  CHECK(contains(error_text([] { Loss(CrossEntropy{.label_smoothing = 1}); }), "label_smoothing"));
  CHECK(contains(error_text([] {
                   Loss(CrossEntropy{.class_weights = torch::tensor({1.0, -1.0})});
                 }),
                 "class_weights"));
  CHECK(contains(error_text([] { Loss(Quantile{.quantiles = {0.5, 1.0}}); }), "quantile"));
  CHECK(contains(error_text([] { Loss(Focal{.gamma = -1}); }), "gamma"));
  CHECK(
      contains(error_text([] { Loss(GaussianNll{.smallest_variance = 0}); }), "smallest_variance"));
}

TEST_CASE("Class weights: golden values") {
  for (const auto& c : golden("class_weights.json")["cases"]) {
    const Tensor counts = tensor_of(c["counts"]);
    CHECK(close(inverse_frequency(counts), tensor_of(c["inverse_frequency"])));
    CHECK(close(balanced(counts), tensor_of(c["balanced"])));
    CHECK(close(effective_number(counts, 0.999), tensor_of(c["effective_number_0.999"]), 1e-11));
  }
}

TEST_CASE("Class weights: an absent class has weight zero, missing labels do not count") {
  const Tensor target = torch::tensor({0, 0, 2, -100, 2, 2, 3});
  const Tensor counts = class_counts(target, 4);
  CHECK(counts.equal(torch::tensor({2, 0, 3, 1})));
  for (const Tensor& weights : {inverse_frequency(counts), balanced(counts),
                                effective_number(counts, 0.99), effective_number(counts, 0)}) {
    CHECK(weights[1].item<double>() == 0);
    CHECK(weights.isfinite().all().item<bool>());
  }
  CHECK(inverse_frequency(counts).sum().item<double>() == Approx(4));
  CHECK((balanced(counts) * counts).sum().item<double>() == Approx(6));
  CHECK(contains(error_text([&] { class_counts(target, 3); }), "class 3 in row 6"));
  const Tensor weights = torch::tensor({2.0, 0.5, 0.0, 7.0, 1.0, 1.0, 0.0});
  CHECK(class_counts(target, 3, weights).equal(torch::tensor({2.5, 0.0, 2.0}, real)));
  const Tensor map = torch::tensor({{0, 1}, {1, -100}});
  CHECK(class_counts(map, 2, torch::tensor({3.0, 0.5})).equal(torch::tensor({3.0, 3.5}, real)));
  CHECK(contains(error_text([] { inverse_frequency(torch::zeros({3})); }), "positive"));
  CHECK(contains(error_text([&] { effective_number(counts, 1.0); }), "beta"));
}
