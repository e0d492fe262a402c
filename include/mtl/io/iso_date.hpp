#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace mtl::io {

namespace io_detail {

/// The next `digits` digits of `text`, taken off it. False: there are not so many.
inline bool take_digits(std::string_view& text, size_t digits, int64_t& number) {
  if (text.size() < digits) return false;
  number = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    number = 10 * number + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

inline bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace io_detail

/// A date of ISO 8601, 2024-02-29 or with a time 2024-02-29T08:30, 2024-02-29 08:30:15.25, with or
/// without a Z at the end: seconds since 1970 (times are taken as UTC). False, and `seconds` as it
/// was, for anything else, days that do not exist and other time zones included.
inline bool parse_iso_date(std::string_view text, double& seconds) {
  using io_detail::take, io_detail::take_digits;
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  double part = 0;
  if (!take_digits(text, 4, year) || !take(text, "-") || !take_digits(text, 2, month) ||
      !take(text, "-") || !take_digits(text, 2, day))
    return false;
  const auto date =
      std::chrono::year(static_cast<int>(year)) / static_cast<int>(month) / static_cast<int>(day);
  if (!date.ok()) return false;
  if (!text.empty()) {
    if (!take(text, "T ") || !take_digits(text, 2, hour) || !take(text, ":") ||
        !take_digits(text, 2, minute))
      return false;
    if (take(text, ":")) {
      if (!take_digits(text, 2, second)) return false;
      if (take(text, ".")) {
        int64_t digit = 0;
        double unit = 1;
        bool any = false;
        for (; take_digits(text, 1, digit); any = true)
          part += static_cast<double>(digit) * (unit /= 10);
        if (!any) return false;
      }
    }
    take(text, "Z");
    if (!text.empty() || hour > 23 || minute > 59 || second > 59) return false;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  seconds = static_cast<double>(days * 86400 + hour * 3600 + minute * 60 + second) + part;
  return true;
}

}  // namespace mtl::io
