#pragma once

#include <optional>

#include "days.hpp"

namespace weather {

/// What was said of days, in units, and what they were.
struct Forecasts {
  Tensor days = {};  // int64 [N], since 1970-01-01
  mtl::Predictions found = {};

  Forecasts() = default;
  Forecasts(const Part& part, mtl::Predictions predictions);
  /// The forecasts begin .. end - 1.
  Forecasts part(int64_t begin, int64_t end) const;
};

/// How far a network's forecasts are to be trusted, learnt from days that it was not trained on.
struct Doubt {
  static constexpr double level = 0.8;  // of the days lie within the intervals

  /// Intervals after a day outside them are wider by exp(step * level), after one inside narrower
  /// by exp(step * (1 - level)): they follow harder and milder times, and four of five days lie
  /// within whatever comes. Gibbs and Candes, NeurIPS 2021 (arXiv 2106.00170); of the reach itself
  /// as in Angelopoulos, Candes and Tibshirani, NeurIPS 2023 (arXiv 2307.16895).
  static constexpr double step = 0.03;

  /// Of temp and rh: the mean absolute error by season (1, sine and cosine of the day of the year),
  /// and how many of it an interval reaches to either side.
  std::array<std::array<double, 4>, 2> reach = {};
  std::vector<std::vector<double>> climate = {};  // shares of the classes by month
  int64_t until = 0;                              // the last day that this is learnt from

  /// Seasons and climate come from the training days, the reach from `unseen`; none where these are
  /// fewer than 20.
  static std::optional<Doubt> learn(const Forecasts& training, const Forecasts& unseen,
                                    int64_t classes);

  /// [N] float64, degrees or per cent: half an interval's width on each of the days [N].
  Tensor half_width(Element task, const Tensor& days) const;
  /// [N]: the same of each of the days, which follow each other, after those before it are known;
  /// this doubt then is the one after the last of them.
  Tensor follow(Element task, const Forecasts& forecasts);
  /// temp, rh: coverage and mean width of the intervals, which follow. weather: log loss and
  /// calibration error of the probabilities, and the log loss of the climate.
  mtl::io::Json judge(const Forecasts& forecasts) const;
};

void to_json(mtl::io::Json& json, const Doubt& doubt);
void from_json(const mtl::io::Json& json, Doubt& doubt);

}  // namespace weather
