#include "error_text.hpp"
#include "mtl/task/tasks.hpp"

using namespace mtl;

namespace {

const auto double_type = torch::kDouble;
const double not_there = std::numeric_limits<double>::quiet_NaN();

double value_of(const Loss& loss, const Tensor& y, const Tensor& t, const Tensor& w = {}) {
  return loss(y, t, false, w).value.item<double>();
}

}  // namespace

TEST_CASE("ModuleLoss: torch's own losses, their reduction and kind") {
  torch::manual_seed(3);
  const Tensor y = torch::randn({5, 1}, double_type), t = torch::randn({5}, double_type);
  const double expected = (y.squeeze(1) - t).square().mean().item<double>();
  const Loss mean = torch::nn::MSELoss();
  const Loss each = torch::nn::MSELoss(torch::nn::MSELossOptions(torch::kNone));
  CHECK(value_of(mean, y, t) == Approx(expected));
  CHECK(value_of(each, y, t) == Approx(expected));
  CHECK(mean.kind() == LossKind::regression);
  CHECK(Loss(torch::nn::BCEWithLogitsLoss()).yes_or_no());
  CHECK(Loss(torch::nn::MultiLabelSoftMarginLoss()).yes_or_no());
  CHECK_FALSE(Loss(torch::nn::CrossEntropyLoss()).yes_or_no());
  CHECK(Loss(torch::nn::BCELoss()).outputs() == LossOutputs::probabilities);
  CHECK(Loss(torch::nn::CrossEntropyLoss()).kind() == LossKind::classification);
  CHECK(Loss(torch::nn::NLLLoss()).kind() == LossKind::classification);
  CHECK(Loss(torch::nn::BCEWithLogitsLoss()).kind() == LossKind::classification);
  CHECK(Loss(torch::nn::SmoothL1Loss(), LossKind::classification).kind() ==
        LossKind::classification);
  CHECK(contains(error_text([] { Loss(torch::nn::L1Loss(torch::nn::L1LossOptions(torch::kSum))); }),
                 "kSum"));
}

TEST_CASE("ModuleLoss: sample weights ask for reduction none") {
  const Tensor y = torch::tensor({1.0, 2.0, 4.0}), t = torch::zeros({3});
  const Tensor w = torch::tensor({1.0, 0.0, 3.0});
  CHECK(value_of(torch::nn::L1Loss(torch::nn::L1LossOptions(torch::kNone)), y, t, w) ==
        Approx((1 + 12) / 4.0));
  CHECK(value_of(torch::nn::L1Loss(), y, t, torch::tensor({2.0, 0.0, 2.0})) == Approx(2.5));
  CHECK(contains(error_text([&] { value_of(torch::nn::L1Loss(), y, t, w); }), "torch::kNone"));
}

TEST_CASE("ModuleLoss: rows labelled in part need reduction none") {
  const Tensor y = torch::tensor({{1.0, 2.0}, {3.0, 4.0}}, double_type);
  const Tensor t = torch::tensor({{0.0, not_there}, {0.0, 0.0}}, double_type);
  const Loss each = torch::nn::L1Loss(torch::nn::L1LossOptions(torch::kNone));
  CHECK(value_of(each, y, t) == Approx(8 / 3.0));
  CHECK(each(y, t).weight.item<double>() == Approx(1.5));
  CHECK(contains(error_text([&] { value_of(torch::nn::L1Loss(), y, t); }), "labelled in part"));
}

TEST_CASE("ModuleLoss: class indices, -100 and torch's ignore_index are missing") {
  torch::manual_seed(4);
  const Tensor y = torch::randn({4, 3, 2}, double_type);
  const Tensor t = torch::tensor({{0, 2}, {-100, 1}, {2, 7}, {-100, 7}});
  const Tensor w = torch::tensor({0.5, 1.0, 2.0}, double_type);
  const auto options = torch::nn::CrossEntropyLossOptions().weight(w).ignore_index(7);
  const Loss theirs = torch::nn::CrossEntropyLoss(options);
  const Loss ours = CrossEntropy{.class_weights = w};
  const LossValue a = theirs(y, t), b = ours(y, t.masked_fill(t.eq(7), missing_class));
  CHECK(a.samples == 3);
  CHECK(a.value.item<double>() == Approx(b.value.item<double>()));
  CHECK(a.weight.item<double>() == Approx(b.weight.item<double>()));
  const Loss each = torch::nn::CrossEntropyLoss(
      torch::nn::CrossEntropyLossOptions().ignore_index(7).reduction(torch::kNone));
  const Tensor sample_weights = torch::tensor({1.0, 0.5, 2.0, 1.0});
  CHECK(value_of(each, y, t, sample_weights) ==
        Approx(value_of(CrossEntropy{}, y, t.masked_fill(t.eq(7), missing_class), sample_weights)));
  CHECK(contains(error_text([&] { value_of(theirs, y, torch::full({4, 2}, 3L)); }), "class 3"));
}

TEST_CASE("ModuleLoss: torch's ignore_index is missing to the task's metrics, too") {
  namespace nn = torch::nn;
  const Task task{.name = "tags",
                  .loss = nn::CrossEntropyLoss(nn::CrossEntropyLossOptions().ignore_index(0)),
                  .metrics = {Accuracy{}, MeanIou{}}};
  torch::manual_seed(2);
  const Tensor scores = torch::randn({2, 3, 4});  // filled up with class 0
  const Tensor filled = torch::tensor({{1, 2, 1, 0}, {2, 0, 0, 0}});
  const Tensor known = filled.masked_fill(filled.eq(0), missing_class);
  for (const auto type : {torch::kLong, torch::kByte})
    CHECK(metrics_of(task, scores, filled.to(type)) == metrics_of(task, scores, known));
  CHECK(metrics_of(task, scores, known)[0] == Accuracy{}(scores, known));
}

TEST_CASE("ModuleLoss: shapes that torch would broadcast are Errors") {
  const Task task{.name = "a", .loss = torch::nn::MSELoss()};
  Batch batch;
  batch.targets.insert("a", torch::zeros({3}));
  CHECK(contains(error_text([&] { loss_of(task, torch::zeros({3, 3}), batch); }), "[3, 3]"));
  const Task binary{.name = "b", .loss = torch::nn::BCELoss(), .target = "a"};
  CHECK(contains(error_text([&] { loss_of(binary, torch::full({3}, 2.0), batch); }),
                 "task \"b\": the loss does not take prediction [3] of type Float"));
}

TEST_CASE("ModuleLoss: whole numbers as targets of torch's losses of values") {
  const Tensor whole = torch::tensor({0, 1, 1, 0}, torch::kLong), real = whole.to(torch::kFloat);
  const auto check = [&](const Loss& loss, bool probabilities) {
    Tensor slopes[2];
    for (const bool as_whole : {false, true}) {
      Tensor y = torch::tensor({0.2F, 0.7F, 0.4F, 0.9F}).unsqueeze(1).requires_grad_();
      const Tensor answer = probabilities ? y.sigmoid() : y;
      loss(answer, as_whole ? whole : real).value.backward();
      slopes[as_whole] = y.grad();
    }
    CHECK(slopes[0].equal(slopes[1]));
  };
  check(torch::nn::MSELoss(), false);
  check(torch::nn::HuberLoss(), false);
  check(torch::nn::L1Loss(), false);
  check(torch::nn::BCEWithLogitsLoss(), false);
  check(torch::nn::BCELoss(), true);
}
