// A data set in batches gives what it gives at once, and streaming metrics keep no rows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "error_text.hpp"
#include "some_losses.hpp"
#include "some_metrics.hpp"

using namespace mtl;

namespace {

/// Streams of rows [begin, end) in batches of `sizes`, the last one with what remains.
MetricStream streamed(const MetricCase& c, const Tensor& targets, const Tensor& weights,
                      int64_t begin, int64_t end, std::vector<int64_t> sizes) {
  MetricStream stream(c.metric);
  sizes.push_back(end);
  for (int64_t size : sizes) {
    const int64_t stop = std::min(begin + size, end);
    stream.add(c.predictions.slice(0, begin, stop), targets.slice(0, begin, stop),
               weights.defined() ? weights.slice(0, begin, stop) : Tensor());
    begin = stop;
  }
  return stream;
}

bool same_bits(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Keeps all it was given in its State, which says how many batches.
struct CountBatches {
  struct State {
    int64_t batches = 0;
    double rows = 0;
    void merge(const State& other) {
      batches += other.batches;
      rows += other.rows;
    }
  };
  std::string name = "batches";

  void add(State& state, const Tensor& predictions, const Tensor&, const Tensor& weights) const {
    ++state.batches;
    state.rows +=
        weights.defined() ? weights.sum().item<double>() : static_cast<double>(predictions.size(0));
  }
  double value(const State& state) const { return 100 * state.batches + state.rows; }
};

}  // namespace

TEST_CASE("Streaming metrics: batches, one of them empty, give what the whole gives") {
  const Tensor fractions = torch::tensor({0.3, 1.7, 0.0, 2.5, 1.0, 0.2, 0.7, 1.1}, torch::kDouble);
  for (const MetricCase& c : metric_cases()) {
    INFO(c.metric.name << " " << shape_text(c.predictions));
    Tensor targets = c.targets.clone();
    hide(targets, 3);
    for (const Tensor& weights : {Tensor(), fractions}) {
      const double whole = c.direct(c.predictions, targets, weights);
      REQUIRE(std::isfinite(whole));
      CHECK(streamed(c, targets, weights, 0, 8, {8}).value() == whole);
      CHECK(streamed(c, targets, weights, 0, 8, {3, 0, 1}).value() == Approx(whole).epsilon(1e-12));
      MetricStream first = streamed(c, targets, weights, 0, 5, {2});
      first.merge(streamed(c, targets, weights, 5, 8, {1}));
      CHECK(first.value() == Approx(whole).epsilon(1e-12));
      MetricStream none(c.metric);
      CHECK(std::isnan(none.value()));
      none.merge(first);
      CHECK(none.value() == first.value());
    }
  }
}

TEST_CASE("Streaming metrics: an output without a value is left out, one that is NaN is not") {
  const double nan = std::nan("");
  const Tensor targets = torch::tensor({{1.0, 4.0}, {2.0, nan}, {3.0, nan}}, torch::kDouble);
  const Tensor predictions = torch::tensor({{1.0, 5.0}, {2.0, 5.0}, {4.0, 5.0}}, torch::kDouble);
  CHECK(R2{}(predictions, targets) == Approx(0.5));  // of one row there is no R2
  R2::State sums, others;
  sums.add(predictions, targets, {});
  others.add(torch::tensor({{1.0, nan}, {2.0, 5.0}}, torch::kDouble),
             torch::tensor({{1.0, 4.0}, {2.0, 5.0}}, torch::kDouble), {});
  sums.merge(others);
  CHECK(std::isnan(R2{}.value(sums)));
}

TEST_CASE("Streaming metrics: sums in the order of the rows have the bits of the whole") {
  for (const MetricCase& c : metric_cases()) {
    const std::string& name = c.metric.name;
    // Moments and products of vectors are added up batch by batch, and depths map by map.
    const std::vector<std::string> others = {
        "r2", "explained_variance", "log_loss", "soft_bce", "brier", "abs_rel", "rmse_log"};
    if (std::find(others.begin(), others.end(), name) != others.end()) continue;
    INFO(name << " " << shape_text(c.predictions));
    CHECK(same_bits(streamed(c, c.targets, {}, 0, 8, {3, 1, 2}).value(),
                    c.direct(c.predictions, c.targets, {})));
  }
}

TEST_CASE("Streaming metrics: they hold no row; those of all rows hold them") {
  for (const MetricCase& c : metric_cases()) {
    INFO(c.metric.name);
    const Tensor predictions = c.predictions.clone(), targets = c.targets.clone();
    MetricStream stream(c.metric);
    stream.add(predictions, targets);
    CHECK((predictions.use_count() == 1 && targets.use_count() == 1) == c.metric.streams());
    const bool needs_all = c.metric.name == "roc_auc" || c.metric.name == "average_precision" ||
                           c.metric.name == "median_absolute_error";
    CHECK(c.metric.streams() == !needs_all);
  }
}

TEST_CASE("Streaming metrics: a function of one's own sees all rows at once, with their weights") {
  int64_t calls = 0;
  const Metric largest("largest", [&calls](const Tensor& y, const Tensor& t, const Tensor& w) {
    ++calls;
    return ((y - t).abs() * (w.defined() ? w : torch::ones_like(y))).max().item<double>();
  });
  MetricStream stream(largest);
  stream.add(torch::tensor({1.0, 5.0}), torch::zeros({2}));
  stream.add(torch::tensor({2.0, 9.0}), torch::zeros({2}), torch::tensor({3.0, 0.0}));
  CHECK(calls == 0);
  CHECK(stream.value() == 6);
  CHECK(calls == 1);
  const Metric plain("error", [](const Tensor& y, const Tensor& t) {
    return (y - t).abs().mean().item<double>();
  });
  MetricStream unweighted(plain);
  unweighted.add(torch::ones({2}), torch::zeros({2}));
  unweighted.add(torch::ones({2}), torch::zeros({2}), torch::tensor({2.0, 2.0}));
  CHECK(contains(error_text([&] { unweighted.value(); }), "the sample weights differ"));
  CHECK(contains(error_text([&] { unweighted.merge(MetricStream(Metric(Mae{}))); }),
                 "of different types"));
}

TEST_CASE("Streaming metrics: a batch has as many outputs as those before") {
  for (const Metric& metric : {Metric(Mae{}), Metric(Spearman{})}) {
    MetricStream stream(metric);
    stream.add(torch::zeros({4, 2}), torch::zeros({4, 2}));
    CHECK(contains(error_text([&] {
                     stream.add(torch::zeros({4, 3}), torch::zeros({4, 3}));
                   }),
                   "a batch has 3 outputs, those before have 2"));
  }
}

TEST_CASE("Streaming metrics: one's own needs a State, add and value") {
  const Metric metric = CountBatches{};
  CHECK(metric.streams());
  MetricStream stream(metric);
  stream.add(torch::zeros({3}), torch::zeros({3}), torch::tensor({1.0, 0.0, 2.0}));
  stream.add(torch::zeros({2}), torch::zeros({2}));
  CHECK(stream.value() == 205);
  CHECK(metric(torch::zeros({4}), torch::zeros({4})) == 104);
}

TEST_CASE("TaskMetrics: batches without the target, without labels, and errors with their row") {
  const Task task{
      .name = "kind", .loss = CrossEntropy{}, .metrics = {Accuracy{}, RocAuc{}, CountBatches{}}};
  const Tensor y = torch::tensor({{2.0, 1.0}, {2.0, 1.0}, {0.0, 1.0}, {3.0, 1.0}});
  const Tensor t = torch::tensor({0, -100, 0, 1});
  const Tensor w = torch::tensor({3.0, 1.0, 1.0, 0.5});
  TaskMetrics metrics(task);
  for (int64_t row = 0; row < 4; ++row) {
    Batch batch;
    batch.inputs.insert("x", y.narrow(0, row, 1));
    metrics.add(y.narrow(0, row, 1), batch);  // no target
    batch.targets.insert("kind", t.narrow(0, row, 1));
    batch.sample_weights = w.narrow(0, row, 1);
    metrics.add(y.narrow(0, row, 1), batch);
  }
  const std::vector<double> whole = metrics_of(task, y, t, w), values = metrics.values();
  CHECK(values[0] == whole[0]);
  CHECK(values[1] == whole[1]);
  CHECK(values[2] == 304.5);
  TaskMetrics both(task);
  both.add(y, t, w);
  both.merge(metrics);
  CHECK(both.values()[0] == Approx(whole[0]));

  TaskMetrics wrong(task);
  wrong.add(y, t);
  CHECK(contains(error_text([&] {
                   wrong.add(y, torch::tensor({-100, 0, 5, 1}));
                 }),
                 "task \"kind\", metric \"accuracy\": the target has class 5 in row 6"));
  const Task late{.name = "late", .loss = CrossEntropy{}, .metrics = {RocAuc{}}};
  TaskMetrics kept(late);
  kept.add(y, t);
  kept.add(y, torch::tensor({-100, 0, 5, 1}));
  CHECK(contains(error_text([&] { kept.values(); }),
                 "task \"late\", metric \"roc_auc\": the target has class 5 in row 6"));
  CHECK(contains(error_text([&] { kept.merge(TaskMetrics(task)); }), "it has 1 metrics"));
  CHECK(
      contains(error_text([&] { kept.add(y, t.narrow(0, 0, 3)); }),
               "task \"late\": predictions [4, 2] and targets [3] do not count the same samples"));
}

TEST_CASE("TaskMetrics: what torch says in a metric of one's own is told with task and metric") {
  struct Streams : CountBatches {
    bool at_end = false;
    void add(State& state, const Tensor& predictions, const Tensor& targets, const Tensor&) const {
      if (!at_end) torch::mm(predictions, targets);
      ++state.batches;
    }
    double value(const State&) const {
      return torch::mm(torch::zeros({2, 3}), torch::zeros({2, 3})).item<double>();
    }
  };
  const Metric whole{"product", [](const Tensor& predictions, const Tensor& targets) {
                       return torch::mm(predictions, targets).sum().item<double>();
                     }};
  const Tensor y = torch::zeros({4, 2});
  const auto fault = [&](const Metric& metric) {
    const Task task{.name = "own", .loss = MeanSquaredError{}, .metrics = {metric}};
    return error_text([&] { metrics_of(task, y, y); });
  };
  CHECK(fault(whole).starts_with("task \"own\", metric \"product\": "));
  CHECK(fault(Streams{}).starts_with("task \"own\", metric \"batches\": "));
  Streams late;
  late.at_end = true;
  CHECK(fault(late).starts_with("task \"own\", metric \"batches\": "));
}
