#include <cmath>

#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/task/tasks.hpp"

using namespace mtl;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// Compares a metric with its golden value, to 1e-12.
template <class M>
void check(const M& metric, const Tensor& predictions, const Tensor& targets,
           const nlohmann::json& expected) {
  INFO(metric.name);
  CHECK(metric(predictions, targets) ==
        Approx(expected.get<double>()).epsilon(1e-12).margin(1e-14));
}

void check_classification(const Tensor& logits, const Tensor& labels,
                          const nlohmann::json& expected) {
  check(Accuracy{}, logits, labels, expected["accuracy"]);
  check(BalancedAccuracy{}, logits, labels, expected["balanced_accuracy"]);
  check(MatthewsCorrelation{}, logits, labels, expected["matthews"]);
  check(CohenKappa{}, logits, labels, expected["cohen_kappa"]);
  check(LogLoss{}, logits, labels, expected["log_loss"]);
  check(MeanIou{}, logits, labels, expected["mean_iou"]);
  check(CalibrationError{}, logits, labels, expected["ece_10_equal_width_bins"]);
  check(TopK{.k = 2}, logits, labels, expected["top_2"]);
  check(RocAuc{}, logits, labels, expected["roc_auc"]);
  check(AveragePrecision{}, logits, labels, expected["average_precision"]);
  const std::pair<Average, const char*> averages[] = {
      {Average::micro, "micro"}, {Average::macro, "macro"}, {Average::weighted, "weighted"}};
  for (const auto& [average, name] : averages) {
    INFO(name);
    check(Precision{.average = average}, logits, labels, expected[name]["precision"]);
    check(Recall{.average = average}, logits, labels, expected[name]["recall"]);
    check(F1{.average = average}, logits, labels, expected[name]["f1"]);
  }
  CHECK(
      confusion_matrix(logits, labels).to(torch::kDouble).equal(tensor_of(expected["confusion"])));
}

}  // namespace

TEST_CASE("Classification metrics: golden values, all rows and labelled rows only") {
  for (const auto& c : golden("metrics.json")["classification"]) {
    const Tensor logits = tensor_of(c["logits"]);
    const Tensor labels = tensor_of(c["labels"]).to(torch::kLong);
    check_classification(logits, labels, c["expected"]["all"]);
    const Tensor missing = tensor_of(c["labelled"]).eq(0);
    check_classification(logits, labels.masked_fill(missing, missing_class),
                         c["expected"]["labelled"]);
  }
}

TEST_CASE("Regression metrics: golden values, all rows and labelled rows only") {
  for (const auto& c : golden("metrics.json")["regression"]) {
    const Tensor predictions = tensor_of(c["predictions"]);
    const Tensor all = tensor_of(c["targets"]);
    const Tensor labelled = all.masked_fill(tensor_of(c["labelled"]).eq(0), missing);
    for (const auto& [targets, name] : {std::pair{all, "all"}, std::pair{labelled, "labelled"}}) {
      const auto& expected = c["expected"][name];
      for (const Tensor& y : {predictions, predictions.unsqueeze(1)}) {
        check(Mae{}, y, targets, expected["mae"]);
        check(Rmse{}, y, targets, expected["rmse"]);
        check(R2{}, y, targets, expected["r2"]);
        check(Nmae{}, y, targets, expected["nmae_by_range"]);
        check(MaxError{}, y, targets, expected["max_error"]);
        check(MedianAbsoluteError{}, y, targets, expected["median_absolute_error"]);
        check(ExplainedVariance{}, y, targets, expected["explained_variance"]);
      }
    }
  }
}

TEST_CASE("SoftBce: golden value, and missing scores do not count") {
  const auto file = golden("metrics.json")["soft_bce"][0];
  const Tensor logits = tensor_of(file["logits"]);
  Tensor scores = tensor_of(file["scores"]);
  check(SoftBce{}, logits, scores, file["bce_mean"]);
  scores[0].fill_(missing);
  const auto rows = static_cast<double>(scores.size(0));
  const double rest =
      (file["bce_mean"].get<double>() * rows - file["bce_by_sample"][0].get<double>()) / (rows - 1);
  check(SoftBce{}, logits, scores, rest);
}

TEST_CASE("Metrics: logits of a yes, class indices and several yes/no outputs") {
  const Tensor yes = torch::tensor({1.0, -2.0, 0.5, -0.1});
  const Tensor truth = torch::tensor({1, 0, 0, 1});
  CHECK(Accuracy{}(yes, truth) == 0.5);
  CHECK(Accuracy{}(yes.unsqueeze(1), truth) == 0.5);
  CHECK(RocAuc{}(yes.unsqueeze(1), truth.to(torch::kDouble)) == 0.75);
  CHECK(Accuracy{}(torch::tensor({2, 1, 0}), torch::tensor({2, 0, -100})) == 0.5);
  const Tensor logits = torch::tensor({{1.0, -1.0}, {2.0, 3.0}});
  const Tensor scores = torch::tensor({{0.7, 0.6}, {missing, 1.0}});
  CHECK(Accuracy{}(logits, scores) == Approx(2.0 / 3));
}

TEST_CASE("Metrics: several outputs give the mean over the outputs") {
  const Tensor y = torch::tensor({{1.0, 10.0}, {2.0, 20.0}, {3.0, 30.0}});
  const Tensor t = torch::tensor({{2.0, 10.0}, {2.0, missing}, {5.0, 34.0}});
  CHECK(Mae{}(y, t) == Approx((1.0 + 2.0) / 2));
}

TEST_CASE("Metrics: without labels and with one class only") {
  const Tensor real = torch::full({3}, missing);
  const Tensor none = torch::full({3}, missing_class, torch::kLong);
  const Tensor y = torch::tensor({1.0, 2.0, 3.0});
  const Tensor logits = torch::tensor({{1.0, 2.0, 0.0}, {0.0, 1.0, 0.0}, {3.0, 1.0, 0.0}});
  for (const Metric& metric :
       {Metric(Mae{}), Metric(Rmse{}), Metric(Nmae{}), Metric(R2{}), Metric(MaxError{}),
        Metric(MedianAbsoluteError{}), Metric(ExplainedVariance{}), Metric(SoftBce{})}) {
    INFO(metric.name);
    CHECK(std::isnan(metric(y, real)));
    CHECK(std::isnan(metric(torch::empty({0}), torch::empty({0}))));
  }
  for (const Metric& metric :
       {Metric(Accuracy{}), Metric(BalancedAccuracy{}), Metric(Precision{}), Metric(Recall{}),
        Metric(F1{}), Metric(MatthewsCorrelation{}), Metric(CohenKappa{}), Metric(MeanIou{}),
        Metric(LogLoss{}), Metric(CalibrationError{}), Metric(TopK{.k = 2}), Metric(RocAuc{}),
        Metric(AveragePrecision{})}) {
    INFO(metric.name);
    CHECK(std::isnan(metric(logits, none)));
  }
  const Tensor one_class = torch::zeros({3}, torch::kLong);
  CHECK(Accuracy{}(logits, one_class) == Approx(1.0 / 3));
  CHECK(std::isnan(RocAuc{}(logits, one_class)));
  CHECK(std::isnan(RocAuc{}(y, one_class)));
  CHECK(std::isnan(AveragePrecision{}(y, one_class)));
  CHECK(MatthewsCorrelation{}(logits, one_class) == 0);
  CHECK(std::isnan(CohenKappa{}(torch::zeros({3}, torch::kLong), one_class)));
  CHECK(R2{}(y, torch::ones({3})) == 0);
  CHECK(R2{}(torch::ones({3}), torch::ones({3})) == 1);
  CHECK(std::isnan(R2{}(torch::ones({1}), torch::ones({1}))));
  CHECK(std::isnan(Nmae{}(y, torch::ones({3}))));
}

TEST_CASE(
    "Metrics: equal scores count half; of equal class scores the first decides, top k takes the "
    "last") {
  CHECK(RocAuc{}(torch::tensor({0.5, 0.5, 0.5}), torch::tensor({1, 0, 1})) == 0.5);
  CHECK(AveragePrecision{}(torch::tensor({0.5, 0.5, 0.5, 0.5}), torch::tensor({1, 0, 0, 0})) ==
        0.25);
  const Tensor equal = torch::zeros({2, 3});
  CHECK(Accuracy{}(equal, torch::tensor({0, 1})) == 0.5);
  CHECK(TopK{.k = 2}(equal, torch::tensor({1, 0})) == 0.5);
}

TEST_CASE("Metrics: wrong shapes and classes are Errors") {
  const Tensor logits = torch::zeros({2, 3});
  CHECK(contains(error_text([&] {
                   Accuracy{}(logits, torch::tensor({0, 3}));
                 }),
                 "class 3 in row 1"));
  CHECK(contains(error_text([&] { Accuracy{}(logits, torch::tensor({0, 1, 2})); }), "[2, 3]"));
  CHECK(contains(error_text([&] { Mae{}(logits, torch::zeros({2})); }), "[2, 3]"));
  CHECK(contains(error_text([&] { TopK{.k = 4}(logits, torch::tensor({0, 1})); }), "k is 4"));
  CHECK(TopK{.k = 3}.name == "top_3");
}
