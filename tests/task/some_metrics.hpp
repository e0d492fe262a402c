#pragma once

#include <functional>
#include <vector>

#include "mtl/task/tasks.hpp"

/// A metric with predictions and targets that it takes, as they are right and wrong.
struct MetricCase {
  mtl::Metric metric;
  std::function<double(const mtl::Tensor&, const mtl::Tensor&, const mtl::Tensor&)> direct;
  mtl::Tensor predictions, targets, perfect, wrong;
};

template <class M>
void add_case(std::vector<MetricCase>& cases, const M& metric, const mtl::Tensor& predictions,
              const mtl::Tensor& targets, const mtl::Tensor& perfect, const mtl::Tensor& wrong) {
  cases.push_back({metric, metric, predictions, targets, perfect, wrong});
}

/// Every metric of one prediction a sample or pixel, with each of the shapes it takes, eight rows.
inline std::vector<MetricCase> metric_cases() {
  using namespace mtl;
  torch::manual_seed(8);
  std::vector<MetricCase> cases;
  const auto y = [](at::IntArrayRef sizes) { return torch::randn(sizes, torch::kDouble); };
  for (const bool pixels : {false, true}) {
    const Tensor t = pixels ? torch::randint(3, {8, 2, 2}, torch::kLong)
                            : torch::tensor({0, 1, 2, 2, 1, 0, 1, 2});
    const Tensor scores = pixels ? y({8, 3, 2, 2}) : y({8, 3});
    const Tensor right = (torch::one_hot(t, 3).movedim(-1, 1).to(torch::kDouble) - 0.5) * 20;
    const auto of = [&](const auto& metric) { add_case(cases, metric, scores, t, right, -right); };
    of(Accuracy{});
    of(BalancedAccuracy{});
    of(Precision{});
    of(Recall{});
    of(F1{});
    of(F1{.average = Average::micro});
    of(MatthewsCorrelation{});
    of(CohenKappa{});
    of(MeanIou{});
    of(LogLoss{});
    of(CalibrationError{});
    of(TopK{.k = 2});
    of(RocAuc{});
    of(AveragePrecision{});
    of(BrierScore{});
  }
  const std::vector<std::vector<int64_t>> shapes = {{8}, {8, 3}, {8, 2, 2}, {8, 3, 2, 2}};
  for (const auto& sizes : shapes) {
    const Tensor yes = torch::rand(sizes, torch::kDouble), t = y(sizes);
    const Tensor logits = (yes - 0.5) * 100;
    add_case(cases, SoftBce{}, y(sizes), yes, yes.logit(), -yes.logit());
    add_case(cases, Accuracy{}, y(sizes), yes, logits, -logits);
    add_case(cases, RocAuc{}, y(sizes), yes, logits, -logits);
    add_case(cases, AveragePrecision{}, y(sizes), yes, logits, -logits);
    add_case(cases, BrierScore{}, y(sizes), yes, yes.logit(), -yes.logit());
    const Tensor depth = yes + 0.5;
    add_case(cases, AbsoluteRelativeError{}, yes + 1, depth, depth, depth * 3);
    add_case(cases, RmseLog{}, yes + 1, depth, depth, depth * 3);
    add_case(cases, DepthWithin{}, yes + 1, depth, depth, depth * 3);
    const auto of = [&](const auto& metric) {
      add_case(cases, metric, y(sizes), t, t + 0.001, -t);
    };
    of(Mae{});
    of(Rmse{});
    of(Nmae{});
    of(R2{});
    of(ExplainedVariance{});
    of(MaxError{});
    of(MedianAbsoluteError{});
    of(Spearman{});
    if (sizes.size() == 1) of(ConcordanceIndex{});
  }
  for (const auto& sizes : std::vector<std::vector<int64_t>>{{8, 3}, {8, 3, 2, 2}}) {
    const Tensor t = y(sizes);
    const auto of = [&](const auto& metric) { add_case(cases, metric, t + y(sizes), t, t, -t); };
    of(NormalAngleMean{});
    of(NormalAngleMedian{});
    of(NormalAngleWithin{.degrees = 40});
  }
  const Tensor text = torch::randint(1, 4, {8, 4}, torch::kLong);
  add_case(cases, CharacterErrorRate{}, y({8, 6, 4}), text, text, text % 3 + 1);
  add_case(cases, WordErrorRate{.space = 3}, y({8, 6, 4}),
           text.clamp_max(2).index_fill(1, torch::tensor({2}), 3),
           text.clamp_max(2).index_fill(1, torch::tensor({2}), 3), text % 3 + 1);
  const Tensor tags = torch::randint(3, {8, 5}, torch::kLong);
  const Tensor right = torch::one_hot(tags, 3).movedim(-1, 1).to(torch::kDouble) * 9;
  add_case(cases, SpanF1{.tags = {"O", "B-a", "I-a"}}, y({8, 3, 5}), tags, right, -right);
  const Tensor relevances = torch::randint(4, {8, 5}, torch::kLong).to(torch::kDouble);
  add_case(cases, Ndcg{.k = 3}, y({8, 5}), relevances, relevances, -relevances);
  const Tensor corner = y({8, 2, 2}) * 9, kind = torch::randint(2, {8, 2, 1}, torch::kLong);
  const Tensor box = torch::cat({corner, corner + torch::rand({8, 2, 2}, torch::kDouble) + 3}, 2);
  const Tensor score = torch::one_hot(kind.squeeze(2), 2).to(torch::kDouble);
  add_case(cases, MeanAveragePrecision{},
           torch::cat({box + 0.3 * y({8, 2, 4}), score + 0.7 * y({8, 2, 2})}, 2),
           torch::cat({box, kind.to(torch::kDouble)}, 2), torch::cat({box, score}, 2),
           torch::cat({box + 50, score}, 2));
  return cases;
}
