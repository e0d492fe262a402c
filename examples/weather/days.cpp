#include "days.hpp"

#include <cmath>

#include <torch/torch.h>

#include "mtl/core/error.hpp"

namespace weather {
namespace {

template <class T>
std::vector<T> slice(const std::vector<T>& values, int64_t begin, int64_t end) {
  return {values.begin() + begin, values.begin() + end};
}

/// How many of the days train.
int64_t border_of(int64_t days) {
  return static_cast<int64_t>(std::floor(static_cast<double>(days) * 0.7));
}

/// Without the part's last day.
mtl::WindowDataset windows_of(const mtl::Tensor& positions, const mtl::Tensor& inputs,
                              const mtl::NamedTensors& targets) {
  const int64_t days = positions.size(0) - 1;
  mtl::NamedTensors rows, labels;
  rows.insert("days", inputs.narrow(0, 0, days));
  for (const auto& target : targets) labels.insert(target.key(), target.value().narrow(0, 0, days));
  return mtl::WindowDataset(rows, labels, {.length = window_days, .horizon = 1},
                            positions.narrow(0, 0, days));
}

bool has_window(const Days& days) {
  int64_t run = 0;
  for (int64_t day = 0; day + 1 < days.size(); ++day) {
    const auto at = static_cast<size_t>(day);
    run = day > 0 && (days.dates[at] - days.dates[at - 1]).count() == 1 ? run + 1 : 1;
    if (run > window_days) return true;
  }
  return false;
}

}  // namespace

mtl::Tensor to_tensor(const std::vector<double>& column) {
  return torch::tensor(column, torch::kFloat64);
}

Days Days::part(int64_t begin, int64_t end) const {
  const auto rows = [&](const mtl::Tensor& column) { return column.slice(0, begin, end); };
  return {slice(dates, begin, end),
          rows(positions),
          rows(temp),
          rows(rh),
          rows(atm),
          rows(sunlight),
          rows(precipitation),
          rows(true_temp),
          rows(true_rh),
          slice(weather, begin, end),
          slice(whole_weather, begin, end)};
}

Days fill(const WeatherDays& read, std::vector<std::string>& warnings) {
  const FilledDays filled = fill_from_earlier(read);
  warnings.insert(warnings.end(), filled.warnings.begin(), filled.warnings.end());
  const int64_t first = filled.first, end = read.size();
  return {slice(read.dates, first, end),
          torch::tensor(slice(day_numbers(read), first, end), torch::kInt64),
          to_tensor(filled.temp),
          to_tensor(filled.rh),
          to_tensor(filled.atm),
          to_tensor(filled.sunlight),
          to_tensor(filled.precipitation),
          to_tensor(slice(read.temp, first, end)),
          to_tensor(slice(read.rh, first, end)),
          slice(read.weather, first, end),
          slice(read.whole_weather, first, end)};
}

Parts split(const Days& days) {
  const int64_t border = border_of(days.size());
  Days train = days.part(0, border), valid = days.part(border, days.size());
  if (!has_window(train) || !has_window(valid)) {
    // The validation part is the smaller one: a window, its target and the day that is nobody's.
    int64_t needed = window_days + 2;
    while (needed - border_of(needed) < window_days + 2) ++needed;
    throw mtl::Error(
        "there are {} days, of which 70 % train and 30 % validate, and one of these parts has no "
        "{} days in a row with a day behind them. At least {} days without a gap are needed; "
        "give more files with --data.",
        days.size(), window_days, needed);
  }
  return {std::move(train), std::move(valid), mtl::LabelEncoder::learn(days.weather)};
}

WindowRows window_rows(const Days& days) {
  const mtl::NamedTensors none;
  const mtl::Tensor starts =
      windows_of(days.positions, torch::zeros({days.size(), 1}), none).starts();
  return {starts + window_days, starts + window_days - 1};
}

mtl::WindowDataset windows(const Days& days, const mtl::Tensor& inputs,
                           const mtl::NamedTensors& targets) {
  return windows_of(days.positions, inputs, targets);
}

}  // namespace weather
