#include "days.hpp"

#include <fmt/format.h>

namespace weather {

std::string to_text(Date date) {
  const std::chrono::year_month_day day(date);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

std::string_view name_of(size_t element) {
  constexpr std::array<std::string_view, element_count> names = {
      "temp", "rh", "atm", "sunlight", "precipitation", "weather"};
  return names.at(element);
}

Tensor Days::day_numbers() const {
  std::vector<int64_t> numbers;
  for (const Date date : dates) numbers.push_back(date.time_since_epoch().count());
  return torch::tensor(numbers, torch::kInt64);
}

Days Days::part(int64_t begin, int64_t end) const {
  return {{dates.begin() + begin, dates.begin() + end},
          observed.slice(0, begin, end),
          filled.slice(0, begin, end),
          {weather.begin() + begin, weather.begin() + end}};
}

std::string first_term(std::string_view weather) {
  size_t end = weather.size();
  for (const std::string_view separator : {"時々", "一時", "後", "、"})
    end = std::min(end, weather.find(separator));
  return std::string(weather.substr(0, end));
}

std::vector<std::string> first_terms(const Days& days) {
  std::vector<std::string> terms;
  for (const std::string& weather : days.weather) terms.push_back(first_term(weather));
  return terms;
}

Part part_of(Days days) {
  const Tensor numbers = days.day_numbers();
  const int64_t end = std::max(days.size() - 1, window_days);
  const Tensor between =
      numbers.slice(0, window_days, end) - numbers.slice(0, 0, end - window_days);
  return {std::move(days), torch::nonzero(between == window_days).squeeze(1) + window_days};
}

NamedTensors Part::truth(const mtl::LabelEncoder& classes) const {
  const Tensor values = days.observed.index_select(0, targets);
  const Tensor weather = classes.encode(first_terms(days), mtl::UnknownLabel::missing);
  return {{"temp", values.select(1, temp)},
          {"rh", values.select(1, rh)},
          {"weather", weather.index_select(0, targets)}};
}

Parts split(const Days& days) {
  const auto border = static_cast<int64_t>(0.7 * static_cast<double>(days.size()));
  Parts parts{part_of(days.part(0, border)), part_of(days.part(border, days.size())),
              mtl::LabelEncoder::learn(first_terms(days))};
  if (parts.train.targets.size(0) == 0 || parts.valid.targets.size(0) == 0) {
    // 30 % of which are a window, its target, and the last day that is nobody's.
    constexpr int64_t least_days = 51;
    throw mtl::Error(
        "there are {} days, of which 70 % train and 30 % validate, and one of these parts has no "
        "{} days in a row with a day behind them. At least {} days without a gap are needed; "
        "give more files with --data",
        days.size(), window_days, least_days);
  }
  return parts;
}

}  // namespace weather
