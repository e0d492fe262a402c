#include "encoding.hpp"

#include <array>
#include <limits>
#include <numbers>

#include <torch/torch.h>

#include "mtl/core/error.hpp"
#include "mtl/data/scalers/standard_scaler.hpp"

namespace weather {
namespace {

constexpr double circle = 2 * std::numbers::pi;
constexpr int64_t waves = 2;  // a year and half a year: enough for the seasons, too few for chance
// How much of the last day's standardised value a prediction starts from: temp, rh.
constexpr std::array<double, 2> carried = {1.0, 0.5};

struct Calendar {
  mtl::Tensor year, month, day, day_of_year;  // [D] float64; the day of the year counts from 0
};

Calendar calendar_of(const std::vector<Date>& dates) {
  std::vector<double> years, months, days, days_of_year;
  for (const Date date : dates) {
    const std::chrono::year_month_day civil(date);
    years.push_back(static_cast<int>(civil.year()));
    months.push_back(static_cast<unsigned>(civil.month()));
    days.push_back(static_cast<unsigned>(civil.day()));
    const Date new_year = std::chrono::sys_days(civil.year() / std::chrono::January / 1);
    days_of_year.push_back(static_cast<double>((date - new_year).count()));
  }
  return {to_tensor(years), to_tensor(months), to_tensor(days), to_tensor(days_of_year)};
}

/// [D, 2 * count]: sine and cosine of 1 .. count turns over `phase` in circles.
mtl::Tensor wave_columns(const mtl::Tensor& phase, int64_t count) {
  std::vector<mtl::Tensor> columns;
  for (int64_t turns = 1; turns <= count; ++turns) {
    const mtl::Tensor angle = phase * (circle * static_cast<double>(turns));
    columns.push_back(angle.sin());
    columns.push_back(angle.cos());
  }
  return torch::stack(columns, 1);
}

mtl::Tensor year_waves(const std::vector<Date>& dates, int64_t count) {
  return wave_columns(calendar_of(dates).day_of_year / 365.25, count);
}

/// [D, 1 + 2 * waves]: what the usual value of a day of the year is a mixture of.
mtl::Tensor season(const std::vector<Date>& dates) {
  const auto days = static_cast<int64_t>(dates.size());
  return torch::cat({torch::ones({days, 1}, torch::kFloat64), year_waves(dates, waves)}, 1);
}

mtl::Tensor weather_numbers(const Days& days) {
  return torch::stack({days.temp, days.rh, days.atm, days.sunlight, days.precipitation.log1p()}, 1);
}

/// What the day ended with: 晴 of 曇一時雨後時々晴.
std::string last_term(const std::string& weather) {
  constexpr std::string_view then = "後";
  const size_t at = weather.rfind(then);
  if (at == std::string::npos) return first_term(weather);
  std::string_view rest = std::string_view(weather).substr(at + then.size());
  for (const std::string_view often : {"一時", "時々"}) {
    if (rest.starts_with(often)) rest.remove_prefix(often.size());
  }
  return first_term(rest);
}

std::vector<std::string> last_terms(const Days& days) {
  std::vector<std::string> terms;
  for (const std::string& weather : days.whole_weather) terms.push_back(last_term(weather));
  return terms;
}

}  // namespace

std::string_view name_of(Recipe recipe) { return recipe == Recipe::article ? "article" : "mtl"; }

Recipe recipe_named(std::string_view name) {
  for (const Recipe recipe : {Recipe::article, Recipe::mtl}) {
    if (name == name_of(recipe)) return recipe;
  }
  throw mtl::Error("there is no recipe \"{}\": article, mtl or all.", name);
}

Encoding::Encoding(Recipe recipe, const Days& train, std::vector<std::string> classes)
    : recipe_(recipe), classes_(std::move(classes)) {
  if (recipe_ == Recipe::mtl) {
    // Normal equations with a trace of ridge, so that a file of less than a year has a solution
    // too.
    const mtl::Tensor basis = season(train.dates);
    const mtl::Tensor gram =
        basis.t().mm(basis) + 1e-3 * torch::eye(basis.size(1), torch::kFloat64);
    usual_ = torch::linalg_solve(gram, basis.t().mm(weather_numbers(train)));
  }
  const mtl::StandardScaler scaler(numbers(train));
  mean_ = scaler.mean();
  scale_ = scaler.scale();
  const mtl::StandardScaler target_scaler(torch::stack({train.temp, train.rh}, 1));
  target_mean_ = target_scaler.mean();
  target_scale_ = target_scaler.scale();
}

Encoding Encoding::from_state(Recipe recipe, std::vector<std::string> classes,
                              const mtl::NamedTensors& state) {
  Encoding encoding;
  encoding.recipe_ = recipe;
  encoding.classes_ = std::move(classes);
  const auto take = [&](const std::string& name) {
    if (!state.contains(name))
      throw mtl::Error("the model file has no tensor \"{}\". Train again.", name);
    return state[name];
  };
  if (recipe == Recipe::mtl) encoding.usual_ = take("encoding.usual");
  encoding.mean_ = take("encoding.mean");
  encoding.scale_ = take("encoding.scale");
  encoding.target_mean_ = take("encoding.target_mean");
  encoding.target_scale_ = take("encoding.target_scale");
  return encoding;
}

mtl::NamedTensors Encoding::state_dict() const {
  mtl::NamedTensors state;
  if (usual_.defined()) state.insert("encoding.usual", usual_);
  state.insert("encoding.mean", mean_);
  state.insert("encoding.scale", scale_);
  state.insert("encoding.target_mean", target_mean_);
  state.insert("encoding.target_scale", target_scale_);
  return state;
}

int64_t Encoding::input_size() const {
  const auto classes = static_cast<int64_t>(classes_.size());
  return mean_.size(0) + (recipe_ == Recipe::article ? 4 : 2 * classes + 2);
}

mtl::Tensor Encoding::numbers(const Days& days) const {
  if (recipe_ == Recipe::article) {
    return torch::stack({calendar_of(days.dates).year, days.temp, days.rh, days.atm, days.sunlight,
                         days.precipitation},
                        1);
  }
  const mtl::Tensor values = weather_numbers(days);
  return torch::cat({values, values - season(days.dates).mm(usual_)}, 1);
}

mtl::Tensor Encoding::one_hot(const std::vector<std::string>& terms) const {
  // A term that is no class (one that only ends days, or a missing label) has no column: all zero.
  const mtl::Tensor indices = mtl::LabelEncoder(classes_).encode(terms, mtl::UnknownLabel::missing);
  const mtl::Tensor classes = torch::arange(static_cast<int64_t>(classes_.size()));
  return indices.unsqueeze(1).eq(classes).to(torch::kFloat64);
}

mtl::Tensor Encoding::inputs(const Days& days) const {
  std::vector<mtl::Tensor> columns = {(numbers(days) - mean_) / scale_};
  if (recipe_ == Recipe::article) {
    const Calendar calendar = calendar_of(days.dates);
    columns.push_back(wave_columns(calendar.month / 12, 1));
    columns.push_back(wave_columns(calendar.day / 31, 1));
  } else {
    columns.push_back(one_hot(days.weather));
    columns.push_back(one_hot(last_terms(days)));
    columns.push_back(year_waves(days.dates, 1));
  }
  return torch::cat(columns, 1).to(torch::kFloat32);
}

mtl::NamedTensors Encoding::targets(const Days& days) const {
  mtl::NamedTensors targets;
  const auto value = [&](const mtl::Tensor& truth, const mtl::Tensor& filled, int64_t index) {
    mtl::Tensor target = (truth - target_mean_[index]) / target_scale_[index];
    if (recipe_ == Recipe::mtl) {
      const double share = carried.at(static_cast<size_t>(index));
      const mtl::Tensor today = (filled - target_mean_[index]) / target_scale_[index];
      const mtl::Tensor yesterday =
          torch::cat({torch::full({1}, std::numeric_limits<double>::quiet_NaN(), torch::kFloat64),
                      today.narrow(0, 0, today.size(0) - 1)});
      target = target - share * yesterday;
    }
    return target.unsqueeze(1).to(torch::kFloat32);
  };
  targets.insert("temp", value(days.true_temp, days.temp, 0));
  targets.insert("rh", value(days.true_rh, days.rh, 1));
  targets.insert("weather",
                 mtl::LabelEncoder(classes_).encode(days.weather, mtl::UnknownLabel::missing));
  return targets;
}

int64_t Encoding::target_index(std::string_view task) const { return task == "temp" ? 0 : 1; }

mtl::Tensor Encoding::in_unit(std::string_view task, const mtl::Tensor& outputs,
                              const mtl::Tensor& last) const {
  const int64_t index = target_index(task);
  mtl::Tensor values = outputs.to(torch::kFloat64);
  if (recipe_ == Recipe::mtl) {
    values = values + carried.at(static_cast<size_t>(index)) * (last - target_mean_[index]) /
                          target_scale_[index];
  }
  return values * target_scale_[index] + target_mean_[index];
}

double Encoding::unit(std::string_view task) const {
  return target_scale_[target_index(task)].item<double>();
}

}  // namespace weather
