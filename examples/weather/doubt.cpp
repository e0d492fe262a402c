#include "doubt.hpp"

#include <nlohmann/json.hpp>
#include <numbers>

namespace weather {
namespace {

/// [N, 3]
Tensor seasons(const Tensor& days) {
  const Tensor angle = days.to(torch::kFloat64) * (2 * std::numbers::pi / 365.2425);
  return torch::stack({torch::ones_like(angle), angle.sin(), angle.cos()}, 1);
}

/// [N], from 0 for January.
std::vector<size_t> months(const Tensor& days) {
  std::vector<size_t> result;
  for (int64_t i = 0; i < days.size(0); ++i) {
    const Date date{std::chrono::days(days[i].item<int64_t>())};
    result.push_back(static_cast<unsigned>(std::chrono::year_month_day(date).month()) - 1);
  }
  return result;
}

/// [N], NaN where a label is missing.
Tensor errors(const Forecasts& forecasts, Element task) {
  const std::string name(name_of(task));
  return (forecasts.found.targets[name] - forecasts.found.predictions[name]).abs();
}

/// [N]; never far from the mean, whatever season the days before were in.
Tensor usual_error(const std::array<double, 4>& reach, const Tensor& days) {
  const auto [mean, sine, cosine, times] = reach;
  const Tensor error = seasons(days).mv(torch::tensor({mean, sine, cosine}, torch::kFloat64));
  return error.clamp(mean / 3, mean * 3);
}

}  // namespace

Forecasts::Forecasts(const Part& part, mtl::Predictions predictions)
    : days(part.days.day_numbers().index_select(0, part.targets)), found(std::move(predictions)) {}

Forecasts Forecasts::part(int64_t begin, int64_t end) const {
  Forecasts result = *this;
  result.days = days.slice(0, begin, end);
  for (auto* tensors : {&result.found.predictions, &result.found.targets})
    for (auto& tensor : *tensors) tensor.value() = tensor.value().slice(0, begin, end);
  return result;
}

std::optional<Doubt> Doubt::learn(const Forecasts& training, const Forecasts& unseen,
                                  int64_t classes) {
  constexpr int64_t fewest = 20;
  Doubt doubt;
  for (const Element task : {temp, rh}) {
    const Tensor error = errors(training, task);
    const Tensor known = error.isfinite().nonzero().squeeze(1);
    const Tensor basis = seasons(training.days).index_select(0, known);
    // A month without seasons holds the waves down where they are hardly known.
    const Tensor ridge = torch::tensor({1e-9, 30.0, 30.0}, torch::kFloat64).diag();
    const Tensor wave = torch::linalg_solve(basis.t().mm(basis) + ridge,
                                            basis.t().mv(error.index_select(0, known)));
    auto& [mean, sine, cosine, times] = doubt.reach[task];
    mean = std::max(wave[0].item<double>(), 1e-6);
    sine = wave[1].item<double>();
    cosine = wave[2].item<double>();
    const Tensor relative = errors(unseen, task) / usual_error(doubt.reach[task], unseen.days);
    const Tensor found = relative.masked_select(relative.isfinite()).contiguous();
    if (found.numel() < fewest) return {};
    const auto* begin = found.data_ptr<double>();
    times = mtl::evaluate::conformal_quantile({begin, begin + found.numel()}, level);
  }
  doubt.until = unseen.days.max().item<int64_t>();
  const Tensor labels = training.found.targets["weather"];
  // As if each class had been seen once more, and each month had ten days of the whole year.
  const Tensor all = mtl::class_counts(labels, classes).to(torch::kFloat64) + 1;
  std::vector<Tensor> counts(12);
  for (Tensor& month : counts) month = all * (10 / all.sum());
  const std::vector<size_t> month_of = months(training.days);
  for (size_t i = 0; i < month_of.size(); ++i) {
    const auto label = labels[static_cast<int64_t>(i)].item<int64_t>();
    if (label >= 0) counts[month_of[i]][label] += 1;
  }
  for (const Tensor& month : counts) {
    const Tensor shares = (month / month.sum()).contiguous();
    const auto* begin = shares.data_ptr<double>();
    doubt.climate.emplace_back(begin, begin + classes);
  }
  return doubt;
}

Tensor Doubt::half_width(Element task, const Tensor& days) const {
  return reach[task][3] * usual_error(reach[task], days);
}

Tensor Doubt::follow(Element task, const Forecasts& forecasts) {
  const Tensor usual = usual_error(reach[task], forecasts.days);
  const Tensor relative = (errors(forecasts, task) / usual).contiguous();
  double& times = reach[task][3];
  std::vector<double> before;
  for (int64_t i = 0; i < relative.size(0); ++i) {
    const double error = relative.data_ptr<double>()[i];
    before.push_back(times);
    if (std::isfinite(error)) times *= std::exp(step * (error > times ? level : level - 1));
  }
  return torch::tensor(before, torch::kFloat64) * usual;
}

mtl::io::Json Doubt::judge(const Forecasts& forecasts) const {
  mtl::io::Json scores = {{"days", forecasts.days.size(0)}, {"level", level}};
  for (const Element task : {temp, rh}) {
    const Tensor width = Doubt(*this).follow(task, forecasts), error = errors(forecasts, task);
    const Tensor inside = (error <= width).masked_select(error.isfinite()).to(torch::kFloat64);
    scores[std::string(name_of(task))] = {{"coverage", inside.mean().item<double>()},
                                          {"width", 2 * width.mean().item<double>()}};
  }
  const Tensor labels = forecasts.found.targets["weather"];
  std::vector<Tensor> usual;
  for (const size_t month : months(forecasts.days))
    usual.push_back(torch::tensor(climate.at(month), torch::kFloat64).log());
  const Tensor said = forecasts.found.predictions["weather"];
  scores["weather"] = {{"log_loss", mtl::LogLoss{}(said, labels)},
                       {"calibration_error", mtl::CalibrationError{}(said, labels)},
                       {"climate_log_loss", mtl::LogLoss{}(torch::stack(usual), labels)}};
  return scores;
}

void to_json(mtl::io::Json& json, const Doubt& doubt) {
  json = {{"reach", doubt.reach}, {"climate", doubt.climate}, {"until", doubt.until}};
}

void from_json(const mtl::io::Json& json, Doubt& doubt) {
  json.at("reach").get_to(doubt.reach);
  json.at("climate").get_to(doubt.climate);
  json.at("until").get_to(doubt.until);
}

}  // namespace weather
