#include <cmath>
#include <functional>

#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();
const auto real = torch::kDouble;

double weight_of(const LossValue& loss) {
  return loss.weight.defined() ? loss.weight.item<double>() : static_cast<double>(loss.samples);
}

}  // namespace

TEST_CASE("Losses: one value and one weight a sample") {
  for (const LossCase& c : loss_cases()) {
    INFO(c.name);
    const SampleLosses losses = c.by_sample(c.prediction, c.target);
    REQUIRE(losses.values.sizes() == at::IntArrayRef({6}));
    REQUIRE(losses.weights.sizes() == at::IntArrayRef({6}));
    for (int64_t n = 0; n < 6; ++n) {
      const SampleLosses alone =
          c.by_sample(c.prediction.narrow(0, n, 1), c.target.narrow(0, n, 1));
      CHECK(is_close(alone.values[0], losses.values[n]));
      CHECK(is_close(alone.weights[0], losses.weights[n]));
    }
  }
}

TEST_CASE("Losses: gradients agree with central differences") {
  for (const LossCase& c : loss_cases()) {
    INFO(c.name);
    Tensor y = c.prediction.clone().requires_grad_();
    weighted_mean(c.by_sample(y, c.target)).backward();
    Tensor moved = c.prediction.clone();
    const double h = 1e-6;
    for (int64_t i = 0; i < moved.numel(); ++i) {
      Tensor entry = moved.view(-1)[i];
      const double value = entry.item<double>();
      entry.fill_(value + h);
      const double above = weighted_mean(c.by_sample(moved, c.target)).item<double>();
      entry.fill_(value - h);
      const double below = weighted_mean(c.by_sample(moved, c.target)).item<double>();
      entry.fill_(value);
      CHECK(y.grad().view(-1)[i].item<double>() == Approx((above - below) / (2 * h)).margin(1e-8));
    }
  }
}

TEST_CASE("Losses: the mean of a complete batch equals the weighted mean by sample") {
  for (const LossCase& c : loss_cases()) {
    if (!c.mean) continue;
    INFO(c.name);
    Tensor y = c.prediction.clone().requires_grad_();
    Tensor z = c.prediction.clone().requires_grad_();
    const MeanLoss mean = c.mean(y, c.target);
    const Tensor fast = mean.value;
    const Tensor slow = weighted_mean(c.by_sample(z, c.target));
    CHECK(is_close(fast, slow));
    const Tensor weight = c.by_sample(z, c.target).weights.sum();
    CHECK((mean.weight.defined() ? mean.weight.item<double>() : 6) ==
          Approx(weight.item<double>()));
    fast.backward();
    slow.backward();
    CHECK(is_close(y.grad(), z.grad()));
  }
}

TEST_CASE("Losses: a missing label costs nothing and teaches nothing, whatever was predicted") {
  for (const LossCase& c : loss_cases()) {
    INFO(c.name);
    Tensor target = c.target.clone();
    hide(target, 1);
    hide(target, 4);
    for (const double predicted : {0.3, absent, std::numeric_limits<double>::infinity()}) {
      Tensor y = c.prediction.clone();
      y[1].fill_(predicted);
      y.requires_grad_();
      const SampleLosses losses = c.by_sample(y, target);
      CHECK(losses.values[1].item<double>() == 0);
      CHECK(losses.weights[1].item<double>() == 0);
      weighted_mean(losses).backward();
      CHECK(y.grad()[1].eq(0).all().item<bool>());
      CHECK(y.grad()[4].eq(0).all().item<bool>());

      const Tensor kept = torch::tensor({0, 2, 3, 5});
      Tensor z = c.prediction.index_select(0, kept).requires_grad_();
      const Tensor rest = weighted_mean(c.by_sample(z, c.target.index_select(0, kept)));
      CHECK(is_close(weighted_mean(losses), rest));
      rest.backward();
      CHECK(is_close(y.grad().index_select(0, kept), z.grad()));
    }
    for (int64_t n = 0; n < 6; ++n) hide(target, n);
    CHECK(c.by_sample(c.prediction, target).weights.sum().item<double>() == 0);
  }
}

TEST_CASE("Losses: weight 0 is a row left out, weight 2 a row twice, whatever stands in it") {
  const Tensor weights = torch::tensor({2.0, 0.0, 1.0, 3.0, 0.0, 1.0}, real);
  const Tensor rows = torch::tensor({0, 0, 2, 3, 3, 3, 5});
  for (const LossCase& c : loss_cases()) {
    INFO(c.name);
    Tensor z = c.prediction.clone().requires_grad_();
    const LossValue repeated =
        c.loss(z.index_select(0, rows), c.target.index_select(0, rows), /*complete=*/true);
    repeated.value.backward();
    for (const double predicted : {0.3, absent, std::numeric_limits<double>::infinity()}) {
      Tensor y = c.prediction.clone(), t = c.target.clone();
      y[1].fill_(predicted);
      t[1].fill_(77);  // no class, no score
      hide(t, 4);
      y.requires_grad_();
      const LossValue loss = c.loss(y, t, false, weights);
      CHECK(is_close(loss.value, repeated.value));
      CHECK(weight_of(loss) == Approx(weight_of(repeated)));
      CHECK(loss.samples == 4);
      loss.value.backward();
      CHECK(is_close(y.grad(), z.grad()));
    }
  }
}

TEST_CASE("Losses: the unit of sample weights does not matter, within a float's range or not") {
  const Tensor weights = torch::tensor({2.0, 0.0, 1.0, 3.0, 0.5, 1.0}, real);
  for (const LossCase& c : loss_cases()) {
    const Tensor prediction = c.prediction.to(torch::kFloat);
    const LossValue loss = c.loss(prediction, c.target, false, weights);
    for (const double unit : {1e-200, 1e-50, 1e38, 1e200}) {
      INFO(c.name << " with weights times " << unit);
      const LossValue other = c.loss(prediction, c.target, false, weights * unit);
      CHECK(is_close(other.value, loss.value, 1e-5));
      CHECK(other.value.scalar_type() == torch::kFloat);
      CHECK(weight_of(other) / unit == Approx(weight_of(loss)));
    }
  }
}

TEST_CASE("Losses: the mean over batches does not depend on how rows fall into them") {
  const Tensor weights = torch::tensor({0.3, 1.7, 0.0, 2.5, 1.0, 0.2}, real);
  for (const LossCase& c : loss_cases()) {
    Tensor target = c.target.clone();
    hide(target, 4);
    if (c.target.dim() > 1 && c.name != "ctc") {  // a row labelled in part
      Tensor entry = target[1].view(-1)[0];
      entry.fill_(target.is_floating_point() ? absent : static_cast<double>(missing_class));
    }
    for (const Tensor& w : {Tensor(), weights}) {
      INFO(c.name << (w.defined() ? ", weights" : ""));
      const LossValue whole = c.loss(c.prediction, target, false, w);
      for (const int64_t first : {1, 2, 4}) {
        double sum = 0, total = 0;
        for (const auto& [begin, size] : {std::pair{int64_t{0}, first}, {first, 6 - first}}) {
          const LossValue part =
              c.loss(c.prediction.narrow(0, begin, size), target.narrow(0, begin, size), false,
                     w.defined() ? w.narrow(0, begin, size) : w);
          if (part.samples == 0) continue;
          sum += part.value.item<double>() * weight_of(part);
          total += weight_of(part);
        }
        CHECK(total == Approx(weight_of(whole)));
        CHECK(sum / total == Approx(whole.value.item<double>()));
      }
    }
  }
}

TEST_CASE("Losses: a sample labelled in part uses its labelled outputs") {
  const Tensor y = torch::tensor({{1.0, 2.0, 3.0}, {0.0, 0.0, 5.0}}, real).requires_grad_();
  const Tensor t = torch::tensor({{0.0, absent, 1.0}, {1.0, 1.0, 2.0}}, real);
  const SampleLosses losses = MeanSquaredError{}(y, t);
  CHECK(is_close(losses.values, torch::tensor({2.5, 11.0 / 3}, real)));
  CHECK(is_close(weighted_mean(losses), torch::tensor((1.0 + 4 + 1 + 1 + 9) / 5, real)));
  losses.values.sum().backward();
  CHECK(y.grad()[0][1].item<double>() == 0);

  const Task task{.name = "several", .loss = MeanSquaredError{}};
  Batch batch;
  batch.targets.insert("several", t);
  CHECK(loss_of(task, y, batch).value.item<double>() == Approx(3.2));
}

TEST_CASE("Losses: values are LibTorch's where it has the loss") {
  torch::manual_seed(2);
  const Tensor y = torch::randn({8, 4}, real);
  const Tensor labels = torch::tensor({0, 1, 2, 3, -100, 1, 1, 0});
  const Tensor w = torch::tensor({0.5, 2.0, 1.0, 0.25}, real);
  for (const double smoothing : {0.0, 0.2}) {
    const SampleLosses losses =
        CrossEntropy{.class_weights = w, .label_smoothing = smoothing}(y, labels);
    CHECK(is_close(weighted_mean(losses),
                   torch::cross_entropy_loss(y, labels, w, at::Reduction::Mean, -100, smoothing)));
  }
  const Tensor mean_and_log_variance = torch::randn({8, 2}, real);
  const Tensor t = torch::randn({8}, real);
  const Tensor m = mean_and_log_variance.select(1, 0);
  const Tensor variance = mean_and_log_variance.select(1, 1).exp();
  CHECK(is_close(weighted_mean(GaussianNll{}(mean_and_log_variance, t)),
                 (0.5 * (variance.log() + (t - m).square() / variance)).mean()));

  const Tensor steps = torch::randn({3, 6, 4}, real);
  const Tensor sequences = torch::tensor({{1, 2, 2}, {3, -100, -100}, {2, 1, -100}});
  const Tensor expected = torch::ctc_loss(steps.log_softmax(2).transpose(0, 1),
                                          sequences.clamp_min(0), torch::full({3}, 6, torch::kLong),
                                          torch::tensor({3, 1, 2}), 0, at::Reduction::Mean);
  CHECK(is_close(weighted_mean(Ctc{}(steps, sequences)), expected));

  CHECK(is_close(Focal{.gamma = 0}(y, labels).values, CrossEntropy{}(y, labels).values));
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
  CHECK(contains(error_text([&] {
                   Poisson{}(scores, torch::tensor({0.0, 3.0, absent, -1.0}));
                 }),
                 "count -1 in row 3"));
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
  CHECK(contains(error_text([&] { loss_of(task, y.to(torch::kLong), batch); }),
                 "task \"weather\": the prediction [4, 3] has type Long"));
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
  CHECK(contains(error_text([] { Loss(Dice{.smooth = 0}); }), "Dice: smooth is 0"));
  for (const Tensor& weight : {torch::tensor({1.0, -0.5}), torch::ones({2, 2}), torch::tensor(2)})
    CHECK(contains(error_text([&] { Loss(BinaryCrossEntropy{.pos_weight = weight}); }),
                   "BinaryCrossEntropy: pos_weight"));
  CHECK(
      contains(error_text([] { Loss(GaussianNll{.smallest_variance = 0}); }), "smallest_variance"));
}
