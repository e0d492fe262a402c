#include "catch.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/report/run_report.hpp"
#include "mtl/task/losses/cross_entropy.hpp"
#include "mtl/task/losses/quantile.hpp"
#include "report/checked_page.hpp"

using namespace mtl;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

Tensor squared_error(const Tensor& prediction, const Tensor& target) {
  return (prediction - target).square();
}
struct ClassError {
  static constexpr LossKind kind = LossKind::classification;
  Tensor operator()(const Tensor& scores, const Tensor& classes) const {
    return -scores.log_softmax(1).gather(1, classes.unsqueeze(1)).squeeze(1);
  }
};

struct Finished {
  TaskRegistry tasks;
  TrainingRun run;
  Predictions predictions;
};

// Two epochs of a regression, a classification and a task that never had a label.
Finished finished() {
  Finished f;
  f.tasks.add({.name = "temp", .loss = squared_error});
  f.tasks.add({.name = "天気/sky", .loss = ClassError{}, .target = "sky"});
  f.tasks.add({.name = "unseen", .loss = squared_error, .auxiliary = true});
  f.run.history.tasks = {"temp", "天気/sky", "unseen"};
  f.run.history.metrics = {{"mae"}, {}, {}};
  f.run.history.auxiliary = {false, false, true};
  f.run.made_of = {{"combiner", "mtl::Sum"}};
  f.run.history.epochs = {
      {1, 0.1, {3, {1, 2, missing}, {}}, {4, {2, 2, missing}, {{0.75}, {}, {}}}},
      {2, 0.1, {2, {0.5, 1.5, missing}, {}}, {3, {1, 2, missing}, {{0.625}, {}, {}}}}};
  f.run.best_epoch = 2;
  f.run.steps = 20;
  f.run.stop_text = "all 2 epochs done";
  f.predictions.predictions.insert("temp", torch::tensor({{0.0}, {1.0}, {2.0}, {3.0}}));
  f.predictions.predictions.insert("天気/sky",
                                   torch::tensor({{0.9, 0.1}, {0.2, 0.8}, {0.3, 0.7}, {0.6, 0.4}}));
  f.predictions.predictions.insert("unseen", torch::zeros({4, 1}));
  f.predictions.targets.insert("temp", torch::tensor({0.5, 1.0, missing, 3.0}));
  f.predictions.targets.insert("sky", torch::tensor({0, 1, 0, -100}, torch::kLong));
  f.predictions.targets.insert("unseen", torch::full({4}, missing));
  return f;
}

report::RunReport described() {
  return {.title = "Weather <Tokyo>",
          .views = {{.task = "temp", .title = "気温", .unit = "°C", .scale = 2, .offset = 10},
                    {.task = "天気/sky", .class_names = {"晴", "雨"}}},
          .settings = {{"batch size", "32"}},
          .warnings = {"one cell was empty"}};
}

}  // namespace

TEST_CASE("run_report: one call draws what the run offers") {
  const TemporaryFolder folder;
  auto f = finished();
  CombinerLog log;
  for (int64_t step : {1, 11}) {
    CombinerReport seen;
    seen.names = {"temp", "天気/sky"};
    seen.cosines = Eigen::Matrix2d{{1, -0.5}, {-0.5, 1}};
    seen.weights = seen.shares = Eigen::Vector2d(0.25, 0.75);
    seen.conflicts = 1;
    log.entries.push_back({step, seen});
  }
  auto description = described();
  description.combiner = &log;
  const auto files = report::run_report(folder / "run", f.run, f.tasks, f.predictions, description);
  const auto html = io::read_file(files.page);
  for (const auto* part :
       {"Weather &lt;Tokyo&gt;", "20 steps", "all 2 epochs done", "気温", "0.625", "0.6667",
        "batch size", "one cell was empty", "<td>晴</td>", "mtl::Sum", "unseen (auxiliary)"})
    CHECK(contains(html, part));
  check_page(files);
  if (!files.without_pictures.empty()) {
    WARN(files.without_pictures);
    return;
  }
  for (const auto* name :
       {"loss_total", "loss_temp", "loss_天気_sky", "temp_series", "temp_scatter",
        "天気_sky_confusion", "天気_sky_reliability", "combiner_weights", "combiner_shares",
        "combiner_conflicts", "combiner_pairs", "combiner_cosines"}) {
    INFO(name);
    CHECK(io::read_file(folder / ("run/" + std::string(name) + ".png")).starts_with("\x89PNG"));
    CHECK(std::filesystem::exists(folder / ("run/" + std::string(name) + ".svg")));
  }
  CHECK(files.pictures.size() == 24);  // none of the task without labels
  // Errors 0.5 and 0 and 0 in the network's unit are 1, 0 and 0 °C.
  CHECK(contains(io::read_file(folder / "run/temp_scatter.svg"), "MAE 0.333"));
  CHECK(contains(io::read_file(folder / "run/天気_sky_confusion.svg"), "accuracy 66.7"));
}

TEST_CASE("run_report: without gnuplot there is a page, which says so") {
  const TemporaryFolder folder;
  auto f = finished();
  auto description = described();
  description.draw.gnuplot = "/no/such/gnuplot";
  const auto files = report::run_report(folder.path(), f.run, f.tasks, f.predictions, description);
  CHECK(files.pictures.empty());
  CHECK(contains(files.without_pictures, "gnuplot-nox"));
  CHECK(contains(io::read_file(files.page), "gnuplot-nox"));
  CHECK(contains(io::read_file(files.page), "0.625"));
}

TEST_CASE("run_report: class names must be as many as classes; a run without an epoch has a page") {
  const TemporaryFolder folder;
  auto f = finished();
  auto description = described();
  description.views[1].class_names.pop_back();
  CHECK(contains(error_text([&] {
                   report::run_report(folder.path(), f.run, f.tasks, f.predictions, description);
                 }),
                 "2 classes, but 1 class names"));
  const auto files = report::run_report(folder.path(), TrainingRun(), f.tasks, Predictions());
  CHECK(files.pictures.empty());
  CHECK(contains(io::read_file(files.page), "0 epochs"));
}

TEST_CASE("run_report: a run without any label has a page that says so") {
  const TemporaryFolder folder;
  auto f = finished();
  for (auto& epoch : f.run.history.epochs)
    for (auto* part : {&epoch.train, &epoch.valid}) {
      part->total = missing;
      part->losses = {missing, missing, missing};
    }
  f.predictions.targets["temp"] = torch::full({4}, missing);
  f.predictions.targets["sky"] = torch::full({4}, -100, torch::kLong);
  const auto files = report::run_report(folder.path(), f.run, f.tasks, f.predictions, described());
  CHECK(files.pictures.empty());
  const auto html = io::read_file(files.page);
  CHECK(contains(html, ">気温</h2>\n<p>No sample of the validation data has a label"));
  CHECK(contains(html, ">天気/sky</h2>\n<p>No sample of the validation data has a label"));
}

TEST_CASE("run_report: a classification with a single class") {
  const TemporaryFolder folder;
  auto f = finished();
  f.predictions.predictions["天気/sky"] = torch::randn({4, 1});
  f.predictions.targets["sky"] = torch::tensor({0, 0, -100, 0}, torch::kLong);
  const auto files = report::run_report(folder.path(), f.run, f.tasks, f.predictions);
  CHECK(contains(io::read_file(files.page),
                 "<td class=\"number\">0</td><td class=\"number\">3</td>"
                 "<td class=\"number\">1</td>"));
}

TEST_CASE("run_page: the verdict says what was reached, and what one would reach by one answer") {
  auto f = finished();
  const auto page = report::run_page(f.run, f.tasks, f.predictions, described());
  REQUIRE(page.verdict.size() == 2);
  // Truths 11, 12, 16 and predictions 10, 12, 16; of the median 12 the errors are 1, 0, 4.
  CHECK(page.verdict[0] ==
        "気温: mean absolute error 0.333\u00a0°C over 3 samples of the validation data; always "
        "saying their median would give 1.67\u00a0°C.");
  CHECK(page.verdict[1] ==
        "天気/sky: 66.7\u00a0% right (2 of 3 samples of the validation data); always saying "
        "\"晴\", the most frequent there, would give 66.7\u00a0%.");
  auto description = described();
  description.verdict = {"Better than yesterday's."};
  CHECK(report::run_page(f.run, f.tasks, f.predictions, description).verdict[0] ==
        "Better than yesterday's.");
}

TEST_CASE("run_page: the worst mistakes, largest error and surest wrong answer first") {
  auto f = finished();
  f.predictions.predictions["temp"] = torch::tensor({{0.5}, {9.0}, {2.0}, {2.0}});
  f.predictions.predictions["天気/sky"] =
      torch::tensor({{0.0, 3.0}, {1.0, 0.0}, {0.9, 0.1}, {0.6, 0.4}});
  auto description = described();
  description.times = {0, 86400, 2 * 86400, 1e9};
  description.worst = 1;
  const auto json = report::page_json(report::run_page(f.run, f.tasks, f.predictions, description));
  const auto rows_below = [&](const std::string& caption) {
    for (const auto& section : json["sections"])
      for (const auto& piece : section["pieces"])
        if (piece.value("table", "") == caption) return piece["rows"];
    return io::Json();
  };
  CHECK(rows_below("気温: the largest errors") == io::Json({{"1970-01-02", "12", "28", "+16"}}));
  // The third row is right; the first is wrong by 3 nats, the second by 1.
  CHECK(rows_below("天気/sky: wrong, and surest of it") ==
        io::Json({{"1970-01-01", "晴", "雨", "95.3 %", "4.7 %"}}));
  description.sample_name = [](int64_t row) { return "row-" + std::to_string(row); };
  description.sample_picture = [](int64_t) { return torch::zeros({3, 8, 8}, torch::kByte); };
  description.worst = 2;
  const TemporaryFolder folder;
  const auto files = report::run_report(folder.path(), f.run, f.tasks, f.predictions, description);
  CHECK(contains(io::read_file(files.page), "<td>row-1</td>"));
  if (files.without_pictures.empty()) CHECK(std::filesystem::exists(folder / "temp_mistakes.png"));
}

TEST_CASE("run_page: rows of weight 0 are left out, as of metrics") {
  auto f = finished();
  f.predictions.sample_weights = torch::tensor({1.0f, 1.0f, 1.0f, 0.0f});
  f.predictions.task_sample_weights = {{"天気/sky", torch::tensor({2.0f, 0.0f, 1.0f, 1.0f})}};
  const auto page = report::run_page(f.run, f.tasks, f.predictions, described());
  REQUIRE(page.verdict.size() == 2);
  // Truths 11 and 12, predictions 10 and 12; of the sky one right and one wrong.
  CHECK(contains(page.verdict[0], "error 0.5\u00a0°C over 2 samples"));
  CHECK(contains(page.verdict[1], "1 of 2 samples"));
}

TEST_CASE("run_page: yes or no, several outputs, probabilities and regions") {
  TaskRegistry tasks;
  tasks.add({.name = "yes", .loss = ClassError{}, .auxiliary = true});
  tasks.add({.name = "pair", .loss = squared_error});
  tasks.add({.name = "shares", .loss = ClassError{}});
  tasks.add({.name = "map", .loss = ClassError{}});
  Predictions found;
  found.predictions = {{"yes", torch::tensor({2.0, -1.0, 3.0})},
                       {"pair", torch::tensor({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}})},
                       {"shares", torch::tensor({{0.9, 0.1}, {0.3, 0.7}, {0.5, 0.5}})},
                       {"map", torch::tensor({{{1.0, 0.0}, {0.0, 1.0}}}).expand({3, 2, 2})}};
  found.targets = {{"yes", torch::tensor({1.0, 0.0, 0.25})},
                   {"pair", torch::tensor({{1.0, 2.0}, {3.0, 4.0}, {5.0, 8.0}})},
                   {"shares", torch::tensor({0, 0, -100}, torch::kLong)},
                   {"map", torch::zeros({3, 2}, torch::kLong)}};
  const auto page = report::run_page(TrainingRun(), tasks, found);
  REQUIRE(page.verdict.size() == 4);
  CHECK(contains(page.verdict[0], "yes (auxiliary): 66.7\u00a0% right (2 of 3 samples"));
  CHECK(contains(page.verdict[1], "pair: mean absolute error 0.333 over 6 values"));
  CHECK(contains(page.verdict[2], "shares: 50.0\u00a0% right (1 of 2 samples"));
  CHECK(contains(page.verdict[3], "map: 50.0\u00a0% right (3 of 6 pixels"));
  const std::string json = io::json_text(report::page_json(page));
  CHECK(contains(json,
                 "\"sample 2\",\n              \"0\",\n              \"1\",\n"
                 "              \"70.0 %\""));  // 0.7 as it was given, not its softmax
  CHECK(contains(json, "sample 3, output 2"));
  found.targets["shares"] = torch::tensor({0, 2, 1}, torch::kLong);
  CHECK(contains(error_text([&] { report::run_page(TrainingRun(), tasks, found); }),
                 "sample 1 has class 2, its head knows 0 to 1"));
}

TEST_CASE("run_page: an answer that is NaN changes nothing about the others") {
  TaskRegistry tasks;
  tasks.add({.name = "shares", .loss = ClassError{}});
  tasks.add({.name = "map", .loss = ClassError{}});
  Predictions found;
  const Tensor maps = torch::tensor({{{1.0, 0.0}, {0.0, 1.0}}}).repeat({3, 1, 1});
  maps[1][0][1] = missing;
  found.predictions = {{"shares", torch::tensor({{0.3, 0.7}, {0.9, 0.1}, {missing, missing}})},
                       {"map", maps}};
  found.targets = {{"shares", torch::tensor({0, 0, 1}, torch::kLong)},
                   {"map", torch::zeros({3, 2}, torch::kUInt8)}};
  const auto page = report::run_page(TrainingRun(), tasks, found);
  const std::string json = io::json_text(report::page_json(page));
  CHECK(contains(json, "\"70.0 %\""));  // not the softmax of 0.3 and 0.7
  REQUIRE(page.verdict.size() == 2);
  CHECK(contains(page.verdict[1], "map: 60.0\u00a0% right (3 of 5 pixels"));
}

TEST_CASE("run_page: whole numbers as targets of values and of yes or no") {
  struct YesNo : ClassError {
    static constexpr bool yes_or_no() { return true; }
  };
  TaskRegistry tasks;
  tasks.add({.name = "count", .loss = squared_error});
  tasks.add({.name = "flat", .loss = squared_error});
  tasks.add({.name = "yes", .loss = YesNo{}});
  tasks.add({.name = "several", .loss = YesNo{}});
  Predictions found;
  found.predictions = {{"count", torch::tensor({{1.0}, {2.0}, {9.0}})},
                       {"flat", torch::tensor({1.0, 2.0, 9.0})},
                       {"yes", torch::tensor({{2.0}, {-1.0}, {3.0}})},
                       {"several", torch::tensor({{2.0, -1.0}, {1.0, 1.0}, {-1.0, -1.0}})}};
  found.targets = {{"count", torch::tensor({1, 4, -100}, torch::kLong)},
                   {"flat", torch::tensor({1, 4, 9}, torch::kByte)},
                   {"yes", torch::tensor({true, false, false})},
                   {"several", torch::tensor({{1, 0}, {0, 1}, {-100, 0}}, torch::kInt)}};
  const auto page = report::run_page(TrainingRun(), tasks, found);
  REQUIRE(page.verdict.size() == 4);
  CHECK(contains(page.verdict[0], "count: mean absolute error 1 over 2 samples"));
  CHECK(contains(page.verdict[1], "flat: mean absolute error 0.667 over 3 samples"));
  CHECK(contains(page.verdict[2], "yes: 66.7\u00a0% right (2 of 3 samples"));
  CHECK(contains(page.verdict[3], "several: 80.0\u00a0% right (4 of 5 answers"));
}

TEST_CASE("run_page: class indices in a column or a map of one channel, and torch's ignore_index") {
  TaskRegistry tasks;
  tasks.add({.name = "column", .loss = CrossEntropy{}});
  tasks.add({.name = "map", .loss = CrossEntropy{}});
  tasks.add({.name = "border",
             .loss = torch::nn::CrossEntropyLoss(
                 torch::nn::CrossEntropyLossOptions().ignore_index(255))});
  const auto scores = torch::tensor({{{1.0, 0.0}, {0.0, 1.0}}}).expand({3, 2, 2});
  Predictions found;
  found.predictions = {{"column", torch::tensor({{2.0, 1.0}, {0.0, 1.0}, {0.0, 1.0}})},
                       {"map", scores},
                       {"border", scores}};
  found.targets = {{"column", torch::tensor({{0}, {1}, {0}})},
                   {"map", torch::zeros({3, 1, 2}, torch::kLong)},
                   {"border", torch::tensor({{0, 255}, {0, 1}, {0, 0}}).to(torch::kByte)}};
  const auto page = report::run_page(TrainingRun(), tasks, found);
  REQUIRE(page.verdict.size() == 3);
  CHECK(contains(page.verdict[0], "column: 66.7\u00a0% right (2 of 3 samples"));
  CHECK(contains(page.verdict[1], "map: 50.0\u00a0% right (3 of 6 pixels"));
  CHECK(contains(page.verdict[2], "border: 80.0\u00a0% right (4 of 5 pixels"));
}

TEST_CASE("run_page: probabilities of torch's BCELoss are taken as they are") {
  TaskRegistry tasks;
  tasks.add({.name = "click", .loss = torch::nn::BCELoss()});
  Predictions found;
  found.predictions = {{"click", torch::tensor({{0.9}, {0.2}, {0.4}})}};
  for (const auto type : {torch::kFloat, torch::kLong}) {
    found.targets = {{"click", torch::tensor({1, 0, 1}).to(type)}};
    const auto page = report::run_page(TrainingRun(), tasks, found);
    REQUIRE(page.verdict.size() == 1);
    CHECK(contains(page.verdict[0], "click: 66.7\u00a0% right (2 of 3 samples"));
  }
}

TEST_CASE("run_page: whole numbers of which quantiles are learnt are no classes") {
  TaskRegistry tasks;
  tasks.add({.name = "count", .loss = Quantile{}});
  Predictions found;
  found.predictions = {{"count", torch::randn({3, 3})}};
  found.targets = {{"count", torch::tensor({1, 40, 2})}};
  CHECK(error_text([&] { report::run_page(TrainingRun(), tasks, found); }).empty());
}

TEST_CASE("run_page: a task's name longer than a file's may be, times that are no dates") {
  auto f = finished();
  std::string name;
  for (int i = 0; i < 100; ++i) name += "天気";
  TaskRegistry tasks;
  tasks.add({.name = name, .loss = squared_error});
  f.run.history.tasks = {name};
  for (auto& record : f.run.history.epochs) {
    record.train.losses = record.valid.losses = {1.0};
    record.valid.metrics = {{}};
  }
  f.run.history.metrics = {{}};
  f.run.history.auxiliary = {};
  f.predictions.predictions = {{name, torch::tensor({{0.0}, {1.0}, {2.0}})}};
  f.predictions.targets = {{name, torch::tensor({1.0, 3.0, 5.0})}};
  const auto page =
      report::run_page(f.run, tasks, f.predictions,
                       {.times = {86400, missing, std::numeric_limits<double>::infinity()}});
  for (const auto& section : page.sections)
    for (const auto& piece : section.pieces)
      if (const auto* picture = std::get_if<report::Section::Picture>(&piece))
        CHECK(picture->file.size() < 150);
  const std::string json = io::json_text(report::page_json(page));
  CHECK(contains(json, "\"1970-01-02\""));
  CHECK(contains(json, "\"sample 2\""));
  CHECK(contains(json, "\"sample 3\""));
}
