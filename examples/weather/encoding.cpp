#include "encoding.hpp"

#include <numbers>

namespace weather {
namespace {

constexpr int64_t waves = 2;  // a year and half a year: enough for the seasons, too few for chance
constexpr auto in_double = torch::kFloat64;

/// [4, D] float64: the year; the month, the day of the month and that of the year as parts of a
/// circle.
Tensor calendar_of(const Days& days) {
  Tensor calendar = torch::empty({4, days.size()}, in_double);
  auto rows = calendar.accessor<double, 2>();
  for (int64_t i = 0; i < days.size(); ++i) {
    const Date day = days.dates[static_cast<size_t>(i)];
    const std::chrono::year_month_day date(day);
    rows[0][i] = static_cast<int>(date.year());
    rows[1][i] = static_cast<unsigned>(date.month()) / 12.0;
    rows[2][i] = static_cast<unsigned>(date.day()) / 31.0;
    rows[3][i] = static_cast<double>((day - Date(date.year() / 1 / 1)).count()) / 365.25;
  }
  return calendar;
}

/// [D, 2 * count]: sine and cosine of 1 .. count turns over `phase` in circles.
Tensor wave_columns(const Tensor& phase, int64_t count) {
  std::vector<Tensor> columns;
  for (int64_t turns = 1; turns <= count; ++turns) {
    const Tensor angle = phase * (2 * std::numbers::pi * static_cast<double>(turns));
    columns.insert(columns.end(), {angle.sin(), angle.cos()});
  }
  return torch::stack(columns, 1);
}

/// [D, 1 + 2 * waves]: what the usual value of a day of the year is a mixture of.
Tensor season(const Days& days) {
  return torch::cat(
      {torch::ones({days.size(), 1}, in_double), wave_columns(calendar_of(days)[3], waves)}, 1);
}

/// [D, 5]
Tensor mtl_numbers(const Days& days) {
  const Tensor rain = days.filled.select(1, precipitation).contiguous();
  return torch::cat({days.filled.slice(1, 0, precipitation), rain.log1p().unsqueeze(1)}, 1);
}

/// What the days ended with: 晴 of 曇一時雨後時々晴.
std::vector<std::string> last_terms(const Days& days) {
  constexpr std::string_view then = "後";
  std::vector<std::string> terms;
  for (std::string_view rest : days.weather) {
    const size_t at = rest.rfind(then);
    if (at != std::string_view::npos) rest.remove_prefix(at + then.size());
    for (const std::string_view often : {"一時", "時々"})
      if (rest.starts_with(often)) rest.remove_prefix(often.size());
    terms.push_back(first_term(rest));
  }
  return terms;
}

}  // namespace

std::string_view name_of(Recipe recipe) { return recipe == Recipe::article ? "article" : "mtl"; }

Recipe recipe_named(std::string_view name) {
  for (const Recipe recipe : {Recipe::article, Recipe::mtl})
    if (name == name_of(recipe)) return recipe;
  throw mtl::Error("there is no recipe \"{}\": article, mtl or all", name);
}

Tensor class_columns(const Tensor& indices, const mtl::LabelEncoder& classes) {
  return indices.unsqueeze(1).eq(torch::arange(classes.size())).to(torch::kFloat64);
}

EncodingImpl::EncodingImpl(Recipe recipe, mtl::LabelEncoder classes, const Days* train)
    : recipe_(recipe),
      classes_(std::move(classes)),
      carried_(recipe == Recipe::mtl ? torch::tensor({1.0, 0.5}, in_double)
                                     : torch::zeros(2, in_double)) {
  const int64_t count = recipe == Recipe::article ? 6 : 10;
  if (recipe == Recipe::mtl)
    usual_ = register_buffer("usual", torch::zeros({1 + 2 * waves, 5}, in_double));
  mean_ = register_buffer("mean", torch::zeros(count, in_double));
  scale_ = register_buffer("scale", torch::ones(count, in_double));
  target_mean_ = register_buffer("target_mean", torch::zeros(2, in_double));
  target_scale_ = register_buffer("target_scale", torch::ones(2, in_double));
  if (train == nullptr) return;
  if (recipe == Recipe::mtl) {
    // Normal equations with a trace of ridge, so that a file of less than a year has a solution.
    const Tensor basis = season(*train);
    const Tensor gram = basis.t().mm(basis) + 1e-3 * torch::eye(basis.size(1), in_double);
    usual_.copy_(torch::linalg_solve(gram, basis.t().mm(mtl_numbers(*train))));
  }
  const mtl::StandardScaler scaler(numbers(*train));
  mean_.copy_(scaler.mean());
  scale_.copy_(scaler.scale());
  const mtl::StandardScaler target_scaler(train->filled.slice(1, temp, rh + 1).contiguous());
  target_mean_.copy_(target_scaler.mean());
  target_scale_.copy_(target_scaler.scale());
}

int64_t EncodingImpl::input_size() const {
  return mean_.size(0) + (recipe_ == Recipe::article ? 4 : 2 * classes_.size() + 2);
}

Tensor EncodingImpl::numbers(const Days& days) const {
  if (recipe_ == Recipe::article)
    return torch::cat({calendar_of(days)[0].unsqueeze(1), days.filled}, 1);
  const Tensor values = mtl_numbers(days);
  return torch::cat({values, values - season(days).mm(usual_)}, 1);
}

Tensor EncodingImpl::inputs(const Days& days) const {
  std::vector<Tensor> columns = {(numbers(days) - mean_) / scale_};
  const Tensor calendar = calendar_of(days);
  if (recipe_ == Recipe::article) {
    columns.push_back(wave_columns(calendar[1], 1));
    columns.push_back(wave_columns(calendar[2], 1));
  } else {
    // A term that is no class (one that only ends days, or a missing label) has no column.
    for (const auto& terms : {first_terms(days), last_terms(days)})
      columns.push_back(
          class_columns(classes_.encode(terms, mtl::UnknownLabel::missing), classes_));
    columns.push_back(wave_columns(calendar[3], 1));
  }
  return torch::cat(columns, 1).to(torch::kFloat32);
}

Tensor EncodingImpl::standardised_targets(const Tensor& values) const {
  return (values.slice(1, temp, rh + 1) - target_mean_) / target_scale_;
}

NamedTensors EncodingImpl::targets(const Days& days) const {
  // The first day has no day before it.
  const Tensor today = torch::cat(
      {torch::full({1, 2}, NAN, in_double), standardised_targets(days.filled).slice(0, 0, -1)});
  const Tensor values =
      (standardised_targets(days.observed) - carried_ * today).to(torch::kFloat32);
  return {{"temp", values.narrow(1, temp, 1)},
          {"rh", values.narrow(1, rh, 1)},
          {"weather", classes_.encode(first_terms(days), mtl::UnknownLabel::missing)}};
}

NamedTensors EncodingImpl::in_units(const NamedTensors& outputs, const Tensor& today) const {
  const Tensor start = carried_ * standardised_targets(today);
  NamedTensors units;
  for (const Element task : {temp, rh}) {
    const std::string name(name_of(task));
    if (!outputs.contains(name)) continue;
    const Tensor values = outputs[name].squeeze(1).to(torch::kFloat64) + start.select(1, task);
    units.insert(name, values * target_scale_[task] + target_mean_[task]);
  }
  if (outputs.contains("weather")) units.insert("weather", outputs["weather"]);
  return units;
}

}  // namespace weather
