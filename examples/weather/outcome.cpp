#include "outcome.hpp"

#include <cmath>
#include <limits>

#include <torch/torch.h>

#include "encoding.hpp"
#include "mtl/task/metrics/accuracy.hpp"
#include "mtl/task/metrics/balanced_accuracy.hpp"
#include "mtl/task/metrics/f1.hpp"
#include "mtl/task/metrics/mae.hpp"
#include "mtl/task/metrics/nmae.hpp"
#include "mtl/task/metrics/rmse.hpp"

namespace weather {
namespace {

mtl::Tensor as_columns(const mtl::Tensor& classes, int64_t count) {
  return classes.unsqueeze(1).eq(torch::arange(count)).to(torch::kFloat64);
}

/// Ridge regression by normal equations; the columns' means carry the intercept and are not
/// penalised.
class Ridge {
 public:
  Ridge(const mtl::Tensor& inputs, const mtl::Tensor& targets, double penalty)
      : input_mean_(inputs.mean(0)), target_mean_(targets.mean(0)) {
    const mtl::Tensor x = inputs - input_mean_;
    const mtl::Tensor gram = x.t().mm(x) + penalty * torch::eye(x.size(1), x.options());
    weights_ = torch::linalg_solve(gram, x.t().mm(targets - target_mean_));
  }
  mtl::Tensor predict(const mtl::Tensor& inputs) const {
    return (inputs - input_mean_).mm(weights_) + target_mean_;
  }

 private:
  mtl::Tensor input_mean_, target_mean_, weights_;
};

/// Predictions for `valid` rows of one task, its penalty chosen on the last fifth of the labelled
/// training rows.
template <class ErrorOf>
mtl::Tensor ridge_task(const mtl::Tensor& inputs, const mtl::Tensor& targets,
                       const mtl::Tensor& labelled, const mtl::Tensor& valid, ErrorOf error_of) {
  const mtl::Tensor rows = labelled.nonzero().squeeze(1);
  if (rows.size(0) == 0) {
    return torch::full({valid.size(0), targets.size(1)}, std::numeric_limits<double>::quiet_NaN(),
                       torch::kFloat64);
  }
  const mtl::Tensor x = inputs.index_select(0, rows), y = targets.index_select(0, rows);
  const int64_t fit = std::max<int64_t>(1, x.size(0) * 4 / 5);
  double best_penalty = 1, best_error = std::numeric_limits<double>::infinity();
  for (double penalty = 1; penalty <= 1e4; penalty *= 10) {
    if (fit == x.size(0)) break;
    const Ridge model(x.slice(0, 0, fit), y.slice(0, 0, fit), penalty);
    const double error = error_of(model.predict(x.slice(0, fit)), y.slice(0, fit));
    if (error < best_error) {
      best_error = error;
      best_penalty = penalty;
    }
  }
  return Ridge(x, y, best_penalty).predict(valid);
}

std::vector<std::pair<std::string, double>> value_scores(const mtl::Tensor& predictions,
                                                         const mtl::Tensor& truth) {
  return {{"mae", mtl::Mae{}(predictions, truth)},
          {"nmae", mtl::Nmae{}(predictions, truth)},
          {"rmse", mtl::Rmse{}(predictions, truth)}};
}

}  // namespace

Outcome truth_of(const Days& days, const mtl::LabelEncoder& classes) {
  const mtl::Tensor target = window_rows(days).target;
  Outcome outcome;
  for (int64_t i = 0; i < target.size(0); ++i) {
    outcome.dates.push_back(days.dates.at(static_cast<size_t>(target[i].item<int64_t>())));
  }
  outcome.true_temp = days.true_temp.index_select(0, target);
  outcome.true_rh = days.true_rh.index_select(0, target);
  outcome.true_weather = classes.encode(days.weather).index_select(0, target);
  return outcome;
}

Scores score(const Outcome& outcome) {
  Scores scores;
  if (outcome.temp.defined())
    scores.emplace_back("temp", value_scores(outcome.temp, outcome.true_temp));
  if (outcome.rh.defined()) scores.emplace_back("rh", value_scores(outcome.rh, outcome.true_rh));
  if (outcome.weather.defined()) {
    scores.emplace_back(
        "weather",
        std::vector<std::pair<std::string, double>>{
            {"accuracy", mtl::Accuracy{}(outcome.weather, outcome.true_weather)},
            {"balanced_accuracy", mtl::BalancedAccuracy{}(outcome.weather, outcome.true_weather)},
            {"macro_f1", mtl::F1{}(outcome.weather, outcome.true_weather)}});
  }
  return scores;
}

double score_of(const Scores& scores, std::string_view task, std::string_view metric) {
  for (const auto& [name, metrics] : scores) {
    if (name != task) continue;
    for (const auto& [key, value] : metrics) {
      if (key == metric) return value;
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

Outcome persistence(const Parts& parts) {
  Outcome outcome = truth_of(parts.valid, parts.classes);
  const mtl::Tensor last = window_rows(parts.valid).last;
  outcome.temp = parts.valid.temp.index_select(0, last);
  outcome.rh = parts.valid.rh.index_select(0, last);
  // A day without weather has no score at all, and the first class is as good as any.
  const mtl::Tensor today = parts.classes.encode(parts.valid.weather).index_select(0, last);
  outcome.weather = as_columns(today, parts.classes.size());
  return outcome;
}

Outcome majority(const Parts& parts) {
  Outcome outcome = truth_of(parts.valid, parts.classes);
  const mtl::Tensor seen = truth_of(parts.train, parts.classes).true_weather;
  const mtl::Tensor counts = as_columns(seen, parts.classes.size()).sum(0, true);
  outcome.weather = counts.expand({outcome.true_weather.size(0), parts.classes.size()});
  return outcome;
}

Outcome ridge(const Parts& parts) {
  const Encoding encoding(Recipe::article, parts.train, parts.classes.classes());
  const auto flat = [&](const Days& days) {
    const mtl::WindowDataset all = windows(days, encoding.inputs(days), mtl::NamedTensors());
    return all.get(torch::arange(all.size())).inputs["days"].flatten(1).to(torch::kFloat64);
  };
  const mtl::Tensor train = flat(parts.train), valid = flat(parts.valid);
  const Outcome truth = truth_of(parts.train, parts.classes);
  Outcome outcome = truth_of(parts.valid, parts.classes);

  const auto value = [&](const mtl::Tensor& target) {
    const auto mae = [](const mtl::Tensor& y, const mtl::Tensor& t) { return mtl::Mae{}(y, t); };
    return ridge_task(train, target.unsqueeze(1), target.isnan().logical_not(), valid, mae)
        .squeeze(1);
  };
  outcome.temp = value(truth.true_temp);
  outcome.rh = value(truth.true_rh);
  const auto wrong = [](const mtl::Tensor& y, const mtl::Tensor& t) {
    return 1 - mtl::Accuracy{}(y, t.argmax(1));
  };
  outcome.weather = ridge_task(train, as_columns(truth.true_weather, parts.classes.size()),
                               truth.true_weather.ge(0), valid, wrong);
  return outcome;
}

}  // namespace weather
