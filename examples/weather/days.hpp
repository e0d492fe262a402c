#pragma once

#include <chrono>
#include <mtl/mtl.hpp>

namespace weather {

using mtl::NamedTensors;
using mtl::Tensor;
using Date = std::chrono::sys_days;

std::string to_text(Date date);  // 2013-10-20

/// What is observed of a day. All but the sky are numbers: mean air temperature (degrees Celsius),
/// mean relative humidity (per cent), mean station-level pressure (hPa), sunshine (hours), total
/// precipitation (mm; 0 where none fell), and the daytime weather in words.
enum Element : size_t { temp, rh, atm, sunlight, precipitation, sky, element_count };
inline constexpr size_t number_count = sky;

/// What users call an element: the plain file's column name.
std::string_view name_of(size_t element);

/// Days in order; one that no file has is not there.
struct Days {
  std::vector<Date> dates;           // [D], ascending
  Tensor observed;                   // [D, 5] float64, a column an Element; NaN: missing
  Tensor filled;                     // [D, 5], missing values taken from earlier days
  std::vector<std::string> weather;  // [D] as written, 曇一時晴; empty: missing

  int64_t size() const { return static_cast<int64_t>(dates.size()); }
  /// int64 [D], since 1970-01-01: positions between which a gap shows.
  Tensor day_numbers() const;
  /// Days begin .. end - 1.
  Days part(int64_t begin, int64_t end) const;
};

/// The term up to the first of 時々 一時 後 、 (also 後一時 and 後時々), which is the whole where
/// there is none. The classes that are predicted.
std::string first_term(std::string_view weather);
std::vector<std::string> first_terms(const Days& days);

inline constexpr int64_t window_days = 14;

/// Days that train, or validate.
struct Part {
  Days days;
  /// int64 [N]: rows of the days to predict, those that 14 days without a gap come before. As in
  /// the article, the last day is nobody's target: D days make D - 15 windows.
  Tensor targets;

  Tensor today() const { return targets - 1; }
  /// Of the targets: temp, rh [N] float64 (NaN: missing), weather [N] int64 (-100: missing, or no
  /// such class).
  NamedTensors truth(const mtl::LabelEncoder& classes) const;
};
Part part_of(Days days);

/// The first 70 % of the days, and the rest.
struct Parts {
  Part train, valid;
  mtl::LabelEncoder classes;  // of all days, in the order of their first one

  NamedTensors truth(const Part& part) const { return part.truth(classes); }
};
/// Error: a part has no window, with how many days are needed.
Parts split(const Days& days);

}  // namespace weather
