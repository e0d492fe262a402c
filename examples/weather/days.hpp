#pragma once

#include <string>
#include <vector>

#include "mtl/data/label_encoder.hpp"
#include "mtl/data/windows.hpp"
#include "weather_data.hpp"

// From the columns that were read to rows for a model, the same for every recipe.

namespace weather {

inline constexpr int64_t window_days = 14;

/// Days in order, inputs without a hole. [D] tensors are float64.
struct Days {
  std::vector<Date> dates;  // [D], ascending
  mtl::Tensor positions;    // [D] int64, day numbers: where one is absent, no window is made
  mtl::Tensor temp, rh, atm, sunlight,
      precipitation;                                // [D], missing values filled from earlier days
  mtl::Tensor true_temp, true_rh;                   // [D], NaN where there is no label
  std::vector<std::string> weather, whole_weather;  // first term and as written; empty: no label

  int64_t size() const { return static_cast<int64_t>(dates.size()); }
  /// Days begin .. end-1.
  Days part(int64_t begin, int64_t end) const;
};

/// Fills the inputs and leaves out the first days where that is not possible. New warnings go into
/// `warnings`.
Days fill(const WeatherDays& read, std::vector<std::string>& warnings);

/// The first 70 % of the days for training and the rest for validation.
struct Parts {
  Days train, valid;
  mtl::LabelEncoder classes;  // of all days, in the order of their first one
};
/// Throws mtl::Error that names how many days are needed where one part has no window.
Parts split(const Days& days);

/// The day that a window predicts, and the day before it: int64 [windows] each.
struct WindowRows {
  mtl::Tensor target, last;
};
/// A window for each day that 14 days without a gap come before. As in the article, the last day of
/// a part is nobody's target, which makes D - 15 windows of D days.
WindowRows window_rows(const Days& days);

/// Windows of `inputs` [D, F] with the targets of their next day.
mtl::WindowDataset windows(const Days& days, const mtl::Tensor& inputs,
                           const mtl::NamedTensors& targets);

/// A column as a float64 tensor [D].
mtl::Tensor to_tensor(const std::vector<double>& column);

}  // namespace weather
