// Metrics of maps, texts, boxes, orders, lists, depths and normals against scikit-learn, SciPy,
// seqeval, pycocotools and NumPy.
#include <cmath>
#include <limits>

#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/task/tasks.hpp"

using namespace mtl;

namespace {

const nlohmann::json& structured(const char* part) {
  return golden("structured_metrics.json")[part];
}

Tensor classes_of(const nlohmann::json& values) { return tensor_of(values).to(torch::kLong); }

template <class M>
void is_golden(const M& metric, const Tensor& predictions, const Tensor& targets,
               const nlohmann::json& expected, const Tensor& weights = {}) {
  INFO(metric.name);
  CHECK(metric(predictions, targets, weights) ==
        Approx(expected.get<double>()).epsilon(1e-12).margin(1e-14));
}

constexpr double none = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("Maps with missing pixels: mean IoU, pixel accuracy, Brier score and log loss") {
  const auto& c = structured("maps");
  const Tensor y = tensor_of(c["logits"]), t = classes_of(c["labels"]);
  for (const auto& [key, weights] :
       {std::pair{"expected", Tensor()}, std::pair{"weighted", tensor_of(c["weights"])}}) {
    is_golden(MeanIou{}, y, t, c[key]["mean_iou"], weights);
    is_golden(Accuracy{}, y, t, c[key]["accuracy"], weights);
    is_golden(BrierScore{}, y, t, c[key]["brier"], weights);
    is_golden(LogLoss{}, y, t, c[key]["log_loss"], weights);
  }
}

TEST_CASE("BrierScore: logits of a yes") {
  const auto& c = structured("yes_or_no");
  is_golden(BrierScore{}, tensor_of(c["logits"]), classes_of(c["labels"]), c["brier"],
            tensor_of(c["weights"]));
}

TEST_CASE("SpanF1: seqeval's f1_score, class indices and scores, filling left out") {
  const auto& c = structured("spans");
  const SpanF1 metric{.tags = c["tags"].get<std::vector<std::string>>()};
  const Tensor t = classes_of(c["labels"]), y = classes_of(c["predicted"]);
  is_golden(metric, y, t, c["f1"]);
  is_golden(metric, torch::one_hot(y, 5).transpose(1, 2).to(torch::kDouble), t, c["f1"]);
}

TEST_CASE("SpanF1: what is a span, and wrong tags") {
  const SpanF1 metric{.tags = {"O", "B-a", "I-a", "B-b", "I-b"}};
  const auto f1 = [&](std::vector<int64_t> found, std::vector<int64_t> truth) {
    return metric(torch::tensor(found).unsqueeze(0), torch::tensor(truth).unsqueeze(0));
  };
  CHECK(f1({2, 2, 0}, {1, 2, 0}) == 1);           // an I at the beginning begins a span
  CHECK(f1({1, 2, 1}, {1, 2, 2}) == 0);           // another last token is another span
  CHECK(f1({1, 4, 0}, {1, 0, 3}) == Approx(.5));  // a, b against a, b one token later
  CHECK(f1({1, 9, 2}, {1, -100, 2}) == 1);        // a later piece of a word
  CHECK(std::isnan(f1({0, 0}, {0, 0})));
  CHECK(contains(error_text([&] { f1({9, 0}, {0, 0}); }), "class 9 in row 0, but there are 5"));
  CHECK(contains(error_text([&] { f1({0, 0}, {0, 7}); }), "class 7 in row 0"));
  const Tensor y = torch::zeros({1, 2}, torch::kLong);
  CHECK(contains(error_text([&] { SpanF1{.tags = {"O", "X"}}(y, y); }), "found tag \"X\""));
  CHECK(contains(error_text([&] { SpanF1{}(y, y); }), "0 tags"));
  CHECK(contains(error_text([&] { metric(torch::zeros({1, 3, 2}), y); }), "5 tags"));
  CHECK(
      contains(error_text([&] { metric(y, y.flatten()); }), "predictions [1, 2] and targets [2]"));
}

TEST_CASE("Character and word error rate: greedy CTC, sample weights, texts of indices") {
  const auto& c = structured("transcripts");
  const Tensor y = tensor_of(c["logits"]), t = classes_of(c["labels"]);
  is_golden(CharacterErrorRate{}, y, t, c["cer"], tensor_of(c["weights"]));
  is_golden(WordErrorRate{}, y, t, c["wer"], tensor_of(c["weights"]));
  const Tensor truth = torch::tensor({{2, 3, 1, 4, -100}}), found = torch::tensor({{2, 1, 4}});
  CHECK(CharacterErrorRate{}(found, truth) == 0.25);
  CHECK(WordErrorRate{}(found, truth) == 0.5);
  CHECK(WordErrorRate{}(torch::tensor({{1, 1, 2, 3, 1, 1, 4, 1}}), truth) == 0);
  CHECK(contains(error_text([&] { CharacterErrorRate{.blank = 7}(y, t); }), "blank is class 7"));
  CHECK(contains(error_text([&] { WordErrorRate{}(y.select(1, 0), t); }), "WordErrorRate: "));
}

TEST_CASE("MeanAveragePrecision: pycocotools' values") {
  const auto& c = structured("boxes");
  const Tensor found = tensor_of(c["found"]);
  const Tensor truth = tensor_of(c["truth"]);
  is_golden(MeanAveragePrecision{}, found, truth, c["map"]);
  is_golden(MeanAveragePrecision{.overlaps = {0.5}}, found, truth, c["map_50"]);
  // Filling with NaN is filling with "no object", but for a picture that has none at all.
  const Tensor some = truth.masked_fill(truth.select(2, 4).eq(-1).unsqueeze(2), none);
  is_golden(MeanAveragePrecision{}, found.slice(0, 1), some.slice(0, 1),
            MeanAveragePrecision{}(found.slice(0, 1), truth.slice(0, 1)));
  CHECK(MeanAveragePrecision{}(found, some) > c["map"].get<double>());
}

TEST_CASE("MeanAveragePrecision: pycocotools' values with crowds, by sizes of outlines and boxes") {
  const auto& c = structured("crowds");
  const Tensor found = tensor_of(c["found"]), all = tensor_of(c["truth"]);
  const Tensor truth = all.masked_fill(all.eq(-1e9), none);
  is_golden(MeanAveragePrecision{}, found, truth, c["all"]);
  is_golden(MeanAveragePrecision{.overlaps = {0.5}}, found, truth, c["all_50"]);
  is_golden(MeanAveragePrecision{.largest = 32 * 32}, found, truth, c["small"]);
  is_golden(MeanAveragePrecision{.smallest = 32 * 32, .largest = 96 * 96}, found, truth,
            c["medium"]);
  is_golden(MeanAveragePrecision{.smallest = 96 * 96}, found, truth, c["large"]);
  // Batch after batch, as at once.
  MetricStream stream(Metric(MeanAveragePrecision{.largest = 32 * 32}));
  for (const auto& [begin, end] : {std::pair{0, 3}, std::pair{3, 8}})
    stream.add(found.slice(0, begin, end), truth.slice(0, begin, end));
  CHECK(stream.value() == Approx(c["small"].get<double>()).epsilon(1e-12));
}

TEST_CASE("MeanAveragePrecision: crowds alone are no objects") {
  const Tensor box = torch::tensor({{{0.0, 0.0, 2.0, 2.0}}});
  const Tensor crowd = torch::cat({box, torch::tensor({{{0.0, 1.0}}})}, 2);
  CHECK(std::isnan(MeanAveragePrecision{}(torch::cat({box, torch::ones({1, 1, 1})}, 2), crowd)));
  CHECK(contains(error_text([&] {
                   MeanAveragePrecision{}(crowd.slice(2, 0, 5), torch::ones({1, 1, 8}));
                 }),
                 "with crowds 6"));
}

TEST_CASE("MeanAveragePrecision: perfect, none, and wrong input") {
  const Tensor truth = torch::tensor({{{0.0, 0.0, 2.0, 2.0, 1.0}, {5.0, 5.0, 6.0, 7.0, 0.0}}});
  const Tensor box = truth.slice(2, 0, 4);
  const double never = -std::numeric_limits<double>::infinity();
  const Tensor score = torch::tensor({{{never, 3.0}, {2.0, never}}});
  CHECK(MeanAveragePrecision{}(torch::cat({box, score}, 2), truth) == Approx(1));
  CHECK(MeanAveragePrecision{}(torch::cat({box, score.flip(2)}, 2), truth) == 0);
  CHECK(MeanAveragePrecision{}(torch::cat({box, torch::full_like(score, never)}, 2), truth) == 0);
  const Tensor nothing = torch::full_like(truth, -1);
  CHECK(std::isnan(MeanAveragePrecision{}(torch::cat({box, score}, 2), nothing)));
  const Tensor one_class = torch::cat({box, score.slice(2, 0, 1)}, 2);
  CHECK(contains(error_text([&] { MeanAveragePrecision{}(one_class, truth); }),
                 "class 1.000000 in row 0, but there are scores of 1 classes"));
  CHECK(contains(error_text([&] { MeanAveragePrecision{}(box, truth); }), "[N, Q, 4 + C]"));
}

TEST_CASE("MeanAveragePrecision: fractions as weights, in any order of the rows") {
  torch::manual_seed(5);
  const Tensor corner = torch::rand({12, 3, 2}) * 9, kind = torch::randint(2, {12, 3, 1});
  const Tensor box = torch::cat({corner, corner + 1 + torch::rand({12, 3, 2})}, 2);
  const Tensor truth = torch::cat({box, kind.to(torch::kFloat)}, 2);
  const Tensor sure = torch::rand({12, 3, 1}) + 1, never = torch::full_like(sure, -INFINITY);
  const Tensor found = torch::cat(
      {box, torch::where(kind.eq(0), sure, never), torch::where(kind.eq(1), sure, never)}, 2);
  const Tensor weights = torch::rand({12}, torch::kDouble);
  CHECK(MeanAveragePrecision{}(found, truth, weights) == Approx(1));
  const Tensor noisy = torch::cat({box + 0.2 * torch::randn({12, 3, 4}), found.slice(2, 4)}, 2);
  CHECK(MeanAveragePrecision{}(noisy.flip(0), truth.flip(0), weights.flip(0)) ==
        Approx(MeanAveragePrecision{}(noisy, truth, weights)));
}

TEST_CASE("Spearman and concordance: ties, events, weights as repetitions") {
  const auto& c = structured("orders");
  const Tensor y = tensor_of(c["predictions"]), t = tensor_of(c["targets"]);
  const Tensor w = tensor_of(c["weights"]);
  is_golden(Spearman{}, y, t, c["spearman"]);
  is_golden(Spearman{}, y, t, c["spearman_weighted"], w);
  is_golden(ConcordanceIndex{}, y, t, c["concordance"]);
  const Tensor survival = torch::stack({tensor_of(c["times"]), tensor_of(c["events"])}, 1);
  is_golden(ConcordanceIndex{}, y, survival, c["concordance_events"]);
  is_golden(ConcordanceIndex{}, y.unsqueeze(1), survival, c["concordance_weighted"], w);
  CHECK(std::isnan(Spearman{}(y, torch::ones({25}))));
  CHECK(std::isnan(ConcordanceIndex{}(y, torch::ones({25}))));
  Tensor wrong = survival.clone();
  wrong[3][1] = 0.5;
  CHECK(contains(error_text([&] { ConcordanceIndex{}(y, wrong); }), "the event in row 3 is 0.5"));
  CHECK(contains(error_text([&] {
                   ConcordanceIndex{}(torch::zeros({4, 3}), torch::zeros({4, 3}));
                 }),
                 "ConcordanceIndex: predictions [4, 3]"));
}

TEST_CASE("Ndcg and GroupedAuc: lists as rows, and rows by a group's number") {
  const auto& c = structured("lists");
  const Tensor y = tensor_of(c["scores"]), t = tensor_of(c["relevances"]);
  const Tensor w = tensor_of(c["weights"]);
  is_golden(Ndcg{.k = 3}, y, t, c["ndcg_3"], w);
  is_golden(Ndcg{.k = 7, .gain = Ndcg::Gain::exponential}, y, t, c["ndcg_7_exponential"]);
  // The same lists, their rows in another order.
  torch::manual_seed(2);
  const Tensor order = torch::randperm(y.numel());
  const auto rows = [&](const Tensor& values) { return values.flatten().index_select(0, order); };
  const Tensor group = rows(torch::arange(12).unsqueeze(1).expand({12, 7})) * 10 - 7;
  const Tensor row_weights = rows(w.unsqueeze(1).expand({12, 7}));
  const Tensor yes = rows(t).ge(2).to(torch::kDouble);
  CHECK(Ndcg{.k = 3, .group = "user"}(rows(y), rows(t), row_weights, group) ==
        Approx(c["ndcg_3"].get<double>()).epsilon(1e-12));
  CHECK(GroupedAuc{}(rows(y), yes, {}, group) ==
        Approx(c["grouped_auc"].get<double>()).epsilon(1e-12));
  CHECK(GroupedAuc{}(rows(y), yes, row_weights, group) ==
        Approx(c["grouped_auc_weighted"].get<double>()).epsilon(1e-12));
  CHECK(Ndcg{.k = 3}.name == "ndcg_3");
  CHECK(contains(error_text([&] { Ndcg{.k = 0}(y, t); }), "k is 0"));
  CHECK(contains(error_text([&] { Ndcg{}(y, -t - 1); }), "row 0"));
  CHECK(contains(error_text([&] { Ndcg{}(rows(y), rows(t)); }), "lists [N, L]"));
  CHECK(contains(error_text([&] { GroupedAuc{}(y, t, {}, group); }),
                 "predictions [12, 7], expected one a sample"));
  CHECK(contains(error_text([&] { GroupedAuc{}(rows(y), yes, {}, group.narrow(0, 0, 83)); }),
                 "the groups have shape [83], expected one whole number a row, [84]"));
}

TEST_CASE("Metrics by group: a task's metric reads the target that it names") {
  const auto& c = structured("lists");
  const Tensor y = tensor_of(c["scores"]), t = tensor_of(c["relevances"]).ge(2).to(torch::kDouble);
  const Task task{.name = "click",
                  .loss = BinaryCrossEntropy{},
                  .metrics = {GroupedAuc{.group = "user"}, Accuracy{}}};
  CHECK(task.metrics[0].group == "user");
  TaskMetrics metrics(task);
  for (const auto& [begin, end] : {std::pair{0, 5}, std::pair{5, 12}}) {
    Batch batch;
    batch.targets.insert("click", t.slice(0, begin, end).flatten().clone());
    batch.targets.insert("user",
                         torch::arange(begin, end).unsqueeze(1).expand({end - begin, 7}).flatten());
    Tensor weights = torch::ones({7 * (end - begin)});
    if (begin == 0) {  // a row without label and one of weight 0 are no rows of their user
      batch.targets["click"][0] = none;
      weights[1] = 0;
      batch.sample_weights = weights;
    }
    metrics.add(y.slice(0, begin, end).flatten(), batch);
  }
  Tensor known = t.clone();
  known.view(-1).slice(0, 0, 2).fill_(none);
  CHECK(metrics.values()[0] ==
        Approx(GroupedAuc{}(y.flatten(), known.flatten(), {},
                            torch::arange(12).unsqueeze(1).expand({12, 7}).flatten())));
  Batch batch;
  batch.targets.insert("click", t.flatten());
  CHECK(contains(error_text([&] { metrics.add(y.flatten(), batch); }),
                 "task \"click\", metric \"grouped_auc\": it groups rows by the target \"user\""));
  batch.targets.insert("user", torch::zeros({42}));
  CHECK(contains(error_text([&] { TaskMetrics(task).add(y.flatten(), batch); }),
                 "has shape [42], expected [84]"));
  batch.targets["user"] = torch::zeros({84}) + 0.5;
  const std::string text = error_text([&] { TaskMetrics(task).add(y.flatten(), batch); });
  INFO(text);
  CHECK(contains(text, "the group in row 0 is 0.5"));
}

TEST_CASE("Depths: relative error, logarithmic error, delta; missing pixels") {
  const auto& c = structured("scenes");
  const Tensor y = tensor_of(c["predicted"]), w = tensor_of(c["weights"]);
  const Tensor t = tensor_of(c["depths"]).masked_fill(tensor_of(c["known"]).eq(0), none);
  is_golden(AbsoluteRelativeError{}, y.unsqueeze(1), t, c["abs_rel"], w);
  is_golden(RmseLog{}, y, t, c["rmse_log"], w);
  is_golden(DepthWithin{}, y, t, c["delta"], w);
  is_golden(DepthWithin{.ratio = 1.25 * 1.25}, y, t, c["delta_2"], w);
  CHECK(DepthWithin{}(torch::tensor({-1.0, 1.0}), torch::tensor({1.0, 1.0})) == 0.5);
  CHECK(contains(error_text([&] { RmseLog{}(y, t * 0); }), "not above 0"));
  CHECK(contains(error_text([&] { DepthWithin{.ratio = 1}(y, t); }), "ratio is 1"));
}

TEST_CASE("Surface normals: mean, median and share of angles") {
  const auto& c = structured("scenes");
  const Tensor y = tensor_of(c["found"]), t = tensor_of(c["normals"]);
  is_golden(NormalAngleMean{}, y, t, c["angle_mean"], tensor_of(c["weights"]));
  CHECK(NormalAngleMedian{}(y, t) == Approx(c["angle_median"].get<double>()).margin(6e-4));
  for (const auto& [degrees, share] : c["within"].items())
    is_golden(NormalAngleWithin{.degrees = std::stod(degrees)}, y, t, share);
  const Tensor up = torch::tensor({{0.0, 0.0, 2.0}});
  CHECK(NormalAngleMean{}(up, 3 * up) == 0);
  CHECK(NormalAngleMean{}(-up, up) == 180);
  CHECK(NormalAngleMean{}(0 * up, up) == 90);
  CHECK(contains(error_text([&] { NormalAngleMean{}(up, 0 * up); }), "length 0 in row 0"));
  CHECK(contains(error_text([&] { NormalAngleMean{}(y.slice(1, 0, 2), t); }), "[N, 3, H, W]"));
}

TEST_CASE("ConcordanceIndex: -100 is a missing time of whole numbers") {
  const Tensor y = torch::tensor({1.0, 2.0, 3.0});
  CHECK(ConcordanceIndex{}(y, torch::tensor({1, 2, -100}, torch::kLong)) == 1);
  CHECK(ConcordanceIndex{}(y, torch::tensor({{1, 1}, {2, 1}, {-100, 1}}, torch::kLong)) == 1);
}

TEST_CASE("Ndcg: -100 fills up lists of whole numbers, as NaN does those of real ones") {
  const Tensor y = torch::tensor({{3.0, 2.0, 9.0}, {1.0, 2.0, 3.0}});
  const Tensor whole = torch::tensor({{0, 2, -100}, {1, 0, 3}}, torch::kLong);
  const Tensor real = torch::tensor({{0.0, 2.0, std::nan("")}, {1.0, 0.0, 3.0}});
  CHECK(Ndcg{}(y, whole) == Approx(Ndcg{}(y, real)));
  CHECK(Ndcg{}(y.slice(0, 0, 1), whole.slice(0, 0, 1)) == Approx(1 / std::log2(3.0)));
}
