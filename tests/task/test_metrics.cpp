#include <cmath>

#include "error_text.hpp"
#include "golden.hpp"
#include "some_metrics.hpp"

using namespace mtl;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// Compares a metric with its golden value, to 1e-12.
template <class M>
void check(const M& metric, const Tensor& predictions, const Tensor& targets,
           const nlohmann::json& expected, const Tensor& weights = {}) {
  INFO(metric.name);
  CHECK(metric(predictions, targets, weights) ==
        Approx(expected.get<double>()).epsilon(1e-12).margin(1e-14));
}

void check_classification(const Tensor& logits, const Tensor& labels,
                          const nlohmann::json& expected, const Tensor& weights = {}) {
  const auto of = [&](const auto& metric, const nlohmann::json& value) {
    check(metric, logits, labels, value, weights);
  };
  of(Accuracy{}, expected["accuracy"]);
  of(BalancedAccuracy{}, expected["balanced_accuracy"]);
  of(MatthewsCorrelation{}, expected["matthews"]);
  of(CohenKappa{}, expected["cohen_kappa"]);
  of(LogLoss{}, expected["log_loss"]);
  of(MeanIou{}, expected["mean_iou"]);
  of(CalibrationError{},
     expected[weights.defined() ? "calibration_error" : "ece_10_equal_width_bins"]);
  if (expected.contains("top_2")) of(TopK{.k = 2}, expected["top_2"]);
  of(RocAuc{}, expected["roc_auc"]);
  of(AveragePrecision{}, expected["average_precision"]);
  const std::pair<Average, const char*> averages[] = {
      {Average::micro, "micro"}, {Average::macro, "macro"}, {Average::weighted, "weighted"}};
  for (const auto& [average, name] : averages) {
    INFO(name);
    of(Precision{.average = average}, expected[name]["precision"]);
    of(Recall{.average = average}, expected[name]["recall"]);
    of(F1{.average = average}, expected[name]["f1"]);
  }
  CHECK(torch::allclose(confusion_matrix(logits, labels, weights).to(torch::kDouble),
                        tensor_of(expected["confusion"]), 1e-12));
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

TEST_CASE("Metrics: golden values with sample weights") {
  const auto& file = golden("sample_weights.json");
  for (const auto& c : file["classification"])
    check_classification(tensor_of(c["logits"]), tensor_of(c["labels"]).to(torch::kLong),
                         c["expected"], tensor_of(c["weights"]));
  for (const auto& c : file["regression"]) {
    const auto& e = c["expected"];
    const auto of = [&](const auto& metric, const char* name) {
      check(metric, tensor_of(c["predictions"]), tensor_of(c["targets"]), e[name],
            tensor_of(c["weights"]));
    };
    of(Mae{}, "mae");
    of(Rmse{}, "rmse");
    of(Nmae{}, "nmae");
    of(R2{}, "r2");
    of(ExplainedVariance{}, "explained_variance");
    of(MaxError{}, "max_error");
    of(MedianAbsoluteError{}, "median_absolute_error");
  }
  for (const auto& c : file["yes_or_no"]) {
    const auto& e = c["expected"];
    const auto of = [&](const auto& metric, const char* name) {
      check(metric, tensor_of(c["logits"]), tensor_of(c["scores"]), e[name],
            tensor_of(c["weights"]));
    };
    of(SoftBce{}, "soft_bce");
    of(Accuracy{}, "accuracy");
    of(RocAuc{}, "roc_auc");
    of(AveragePrecision{}, "average_precision");
  }
}

TEST_CASE("Metrics: weight 0 is a row left out, weight 2 a row twice, whatever stands in it") {
  const Tensor weights = torch::tensor({2.0, 0.0, 1.0, 3.0, 0.0, 1.0, 1.0, 2.0});
  const Tensor rows = torch::tensor({0, 0, 2, 3, 3, 3, 5, 6, 7, 7});
  for (const MetricCase& c : metric_cases()) {
    INFO(c.metric.name << " " << shape_text(c.predictions));
    const double repeated =
        c.direct(c.predictions.index_select(0, rows), c.targets.index_select(0, rows), {});
    REQUIRE(std::isfinite(repeated));
    Tensor y = c.predictions.clone(), t = c.targets.clone();
    y[1].fill_(missing);
    y[4].fill_(std::numeric_limits<double>::infinity());
    t[1].fill_(77);  // no class, no score
    CHECK(c.direct(y, t, weights) == Approx(repeated).epsilon(1e-12));
    CHECK(c.metric(y, t, weights) == Approx(repeated).epsilon(1e-12));
    CHECK(c.direct(c.predictions, c.targets, torch::full({8}, 2.0)) ==
          Approx(c.direct(c.predictions, c.targets, {})).epsilon(1e-12));
    CHECK(std::isnan(c.direct(c.predictions, c.targets, torch::zeros({8}))));
    CHECK(contains(error_text([&] { c.direct(c.predictions, c.targets, -torch::ones({8})); }),
                   "the sample weight in row 0 is -1"));
    CHECK(
        contains(error_text([&] { c.direct(c.predictions, c.targets, torch::ones({7})); }), "[7]"));
    y = c.predictions.clone();
    y[2].fill_(missing);
    CHECK(std::isnan(c.direct(y, c.targets, {})));
  }
}

TEST_CASE("Metrics: each knows whether higher is better") {
  for (const MetricCase& c : metric_cases()) {
    INFO(c.metric.name);
    const double good = c.metric(c.perfect, c.targets), bad = c.metric(c.wrong, c.targets);
    REQUIRE(good != bad);
    CHECK((good > bad) == c.metric.higher_is_better);
  }
}

TEST_CASE("Metrics: maps are their pixels, missing ones left out") {
  torch::manual_seed(9);
  const Tensor y = torch::randn({4, 3, 2, 2});
  Tensor t = torch::randint(3, {4, 2, 2}, torch::kLong);
  t[1][0][1] = missing_class;
  t[2].fill_(missing_class);
  const Tensor w = torch::tensor({1.0, 0.5, 1.0, 2.0});
  const Tensor pixels = y.movedim(1, -1).reshape({-1, 3});
  for (const Metric& metric : {Metric(Accuracy{}), Metric(MeanIou{}), Metric(F1{}),
                               Metric(RocAuc{}), Metric(LogLoss{}), Metric(TopK{.k = 2})}) {
    INFO(metric.name);
    CHECK(metric(y, t) == Approx(metric(pixels, t.flatten())));
    CHECK(metric(y, t.unsqueeze(1), w) ==
          Approx(metric(pixels, t.flatten(), w.repeat_interleave(4))));
  }
  CHECK(confusion_matrix(y, t).sum().item<int64_t>() == 11);
  const Tensor depth = torch::randn({4, 1, 2, 2}), truth = torch::randn({4, 2, 2});
  CHECK(Rmse{}(depth, truth) == Approx(Rmse{}(depth.flatten(), truth.flatten())));
  const Tensor yes = truth.gt(0).to(torch::kByte);
  CHECK(RocAuc{}(depth, yes) == Approx(RocAuc{}(depth.flatten(), yes.flatten())));
  CHECK(Accuracy{}(y.argmax(1), t) == Accuracy{}(y, t));
}

TEST_CASE("metrics_of: labelled rows of a weight above 0, errors with task, metric and row") {
  const Task task{.name = "kind", .loss = CrossEntropy{}, .metrics = {Accuracy{}, LogLoss{}}};
  const Tensor y = torch::tensor({{2.0, 1.0}, {2.0, 1.0}, {0.0, 1.0}, {3.0, 1.0}});
  const Tensor t = torch::tensor({0, -100, 0, 1});
  CHECK(metrics_of(task, y, t)[0] == Approx(1 / 3.0));
  CHECK(metrics_of(task, y, t, torch::tensor({3.0, 1.0, 1.0, 0.0}))[0] == Approx(0.75));
  for (const double value : metrics_of(task, y, torch::full({4}, missing_class, torch::kLong)))
    CHECK(std::isnan(value));
  CHECK(std::isnan(metrics_of(task, torch::zeros({0, 2}), torch::zeros({0}, torch::kLong))[0]));
  CHECK(contains(error_text([&] {
                   metrics_of(task, y, torch::tensor({0, -100, 5, 1}));
                 }),
                 "task \"kind\", metric \"accuracy\": the target has class 5 in row 2"));
  CHECK(contains(error_text([&] {
                   metrics_of(task, y, t, torch::tensor({1.0, 1.0, -2.0, 1.0}));
                 }),
                 "task \"kind\": the sample weight in row 2 is -2"));
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

TEST_CASE("Metrics of order: an infinite score is above every other and equal to none of them") {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor yes = torch::tensor({1, 0, 1, 0, 0}), groups = torch::zeros({5}, torch::kLong);
  const Tensor infinite = torch::tensor({infinity, 3.0, 1.0, 2.0, -infinity}),
               finite = torch::tensor({9.0, 3.0, 1.0, 2.0, -9.0});
  CHECK(RocAuc{}(infinite, yes) == Approx(RocAuc{}(finite, yes)));
  CHECK(AveragePrecision{}(infinite, yes) == Approx(AveragePrecision{}(finite, yes)));
  CHECK(GroupedAuc{}(infinite, yes, {}, groups) == Approx(GroupedAuc{}(finite, yes, {}, groups)));
}

TEST_CASE("R2, ExplainedVariance: equal targets have no variance, whatever rounding leaves") {
  for (const double value : {0.1, -7.7, 1e9 + 0.1}) {
    const Tensor t = torch::full({10}, value, torch::kDouble);
    const Tensor weights = torch::arange(1, 11, torch::kDouble) / 10;
    for (const Tensor& w : {Tensor(), weights}) {
      CHECK(R2{}(t + 1, t, w) == 0);
      CHECK(R2{}(t, t, w) == 1);
      CHECK(ExplainedVariance{}(t + torch::arange(10), t, w) == 0);
      CHECK(ExplainedVariance{}(t, t, w) == 1);
    }
  }
}

TEST_CASE("Metrics: the unit of sample weights does not matter") {
  for (const MetricCase& c : metric_cases()) {
    if (c.metric.name == "map") continue;  // a recall at a step is there or not
    const Tensor weights = torch::tensor({2, 1, 0, 3, 1, 1, 2, 1}).to(torch::kDouble);
    const double value = c.metric(c.predictions, c.targets, weights);
    for (const double unit : {1e-300, 1e-50, 1e100, 1e300}) {
      INFO(c.metric.name << " with weights times " << unit);
      CHECK(c.metric(c.predictions, c.targets, weights * unit) == Approx(value));
    }
  }
}

TEST_CASE("Metrics: class indices of a half type") {
  const Tensor logits = torch::tensor({{1.0, 2.0, 0.0}, {0.0, 1.0, 0.0}, {3.0, 1.0, 0.0}});
  CHECK(Accuracy{}(logits, torch::tensor({1, 2, 0}).to(torch::kHalf)) == Approx(2.0 / 3));
}

TEST_CASE("Metrics: wrong shapes and classes are Errors") {
  const Tensor logits = torch::zeros({2, 3});
  CHECK(contains(error_text([&] {
                   Accuracy{}(logits, torch::tensor({0, 3}));
                 }),
                 "class 3 in row 1"));
  CHECK(contains(error_text([&] { Accuracy{}(logits, torch::tensor({0, 1, 2})); }), "[2, 3]"));
  CHECK(contains(error_text([&] {
                   Accuracy{}(logits, torch::tensor({0.0, 0.5}));
                 }),
                 "0.500000 in row 1, which is no class index"));
  CHECK(contains(error_text([&] {
                   Accuracy{}(logits, torch::tensor({0.0, 1e300}, torch::kDouble));
                 }),
                 "in row 1, which is no class index"));
  CHECK(contains(error_text([&] {
                   Accuracy{}(torch::tensor({0, -1}), torch::tensor({0, 1}));
                 }),
                 "class below 0 in row 1"));
  CHECK(contains(error_text([&] { confusion_matrix(logits / 0, torch::tensor({0, 1})); }), "NaN"));
  CHECK(contains(error_text([&] { Mae{}(logits, torch::zeros({2})); }), "[2, 3]"));
  CHECK(contains(error_text([&] { TopK{.k = 4}(logits, torch::tensor({0, 1})); }), "k is 4"));
  CHECK(TopK{.k = 3}.name == "top_3");
  CHECK(contains(error_text([&] {
                   TopK{.k = 1}(logits, torch::zeros({2, 3}));
                 }),
                 "predictions [2, 3] and targets [2, 3], expected class scores"));
  CHECK(contains(error_text([&] { Mae{}(torch::tensor(1.0), torch::tensor(1.0)); }), "scalar"));
}

TEST_CASE("Metrics of decisions: very many classes cost three numbers each") {
  const Tensor truth = torch::tensor({40'000'000, 7, 7}, torch::kLong);
  CHECK(Accuracy{}(torch::tensor({40'000'000, 7, 8}, torch::kLong), truth) == Approx(2.0 / 3));
  CHECK(Recall{}(torch::tensor({40'000'000, 7, 8}, torch::kLong), truth) == Approx(0.5));
  CHECK(contains(error_text([&] { Accuracy{}(truth * 1'000'000, truth); }), "no class index"));
}
