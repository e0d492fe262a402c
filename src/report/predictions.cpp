#include "mtl/report/predictions.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "script.hpp"
#include "values.hpp"

namespace mtl::report {
namespace {

constexpr std::size_t close_up_samples = 120;  // samples that a second panel shows one by one

std::string with_unit(const std::string& name, const std::string& unit) {
  return unit.empty() ? name : name + " [" + unit + "]";
}

// Over the samples that have both values; NaN where there is none.
double mean_absolute_error(const PredictionPlot& predictions) {
  if (predictions.truth.size() != predictions.prediction.size())
    throw Error("predictions \"{}\": {} true values for {} predictions", predictions.title,
                predictions.truth.size(), predictions.prediction.size());
  double sum = 0;
  int64_t count = 0;
  for (std::size_t i = 0; i < predictions.truth.size(); ++i) {
    const double error = std::abs(predictions.truth[i] - predictions.prediction[i]);
    if (!std::isfinite(error)) continue;
    sum += error;
    ++count;
  }
  return count ? sum / static_cast<double>(count) : std::nan("");
}

// "Temperature, validation: MAE 1.43 °C"
std::string title_with_error(const PredictionPlot& predictions) {
  const double error = mean_absolute_error(predictions);
  if (std::isnan(error))
    throw Error("predictions \"{}\": no sample has both a truth and a prediction",
                predictions.title);
  return fmt::format("{}: MAE {:.3g}{}{}", predictions.title, error,
                     predictions.unit.empty() ? "" : "\u00a0", predictions.unit);
}

std::string values_of_plot(const PredictionPlot& p, double error) {
  io::Json values = {{"unit", clean_text(p.unit)}, {"mean_absolute_error", error}};
  if (!p.times.empty()) values["times"] = p.times;
  values["truth"] = p.truth;
  values["prediction"] = p.prediction;
  return values_text(values);
}

void draw_part(Script& script, const PredictionPlot& p, const std::vector<double>& x,
               std::size_t begin) {
  const auto part = [&](const std::vector<double>& values) {
    return std::span(values).subspan(begin);
  };
  const Range y = padded(united(range_of(part(p.truth)), range_of(part(p.prediction))), 0.05);
  const Range along = range_of(part(x));
  const bool few = x.size() - begin <= close_up_samples;
  if (y.low <= y.high) script.line("set yrange [{}:{}]", y.low, y.high);
  if (along.low < along.high) script.line("set xrange [{}:{}]", along.low, along.high);
  const auto truth = script.points(part(x), part(p.truth));
  const auto prediction = script.points(part(x), part(p.prediction));
  const char* style = few ? "linespoints pt 7 ps 0.4" : "lines";
  script.line(
      "plot {} using 1:2 with {} lw 1.5 lc rgb '#888888' title 'truth', "
      "{} using 1:2 with {} lw 1.5 lc rgb '{}' title 'prediction'",
      truth, style, prediction, style, colour(0));
}

}  // namespace

Figure prediction_series(const PredictionPlot& p) {
  const std::string title = title_with_error(p);
  if (!p.times.empty() && p.times.size() != p.truth.size())
    throw Error("predictions \"{}\": {} times for {} samples", p.title, p.times.size(),
                p.truth.size());
  std::vector<double> x = p.times;
  const Range along = range_of(x);
  const bool timed = along.low <= along.high;  // there is one that is a number
  if (!timed) {
    x.resize(p.truth.size());
    std::iota(x.begin(), x.end(), 1.0);
  }
  const bool close_up = x.size() > 2 * close_up_samples;

  Figure figure{clean_text(title), {}, 1100, close_up ? 760 : 440};
  Script script = plain_plot();
  script.line("set ylabel {}", literal(with_unit(p.quantity, p.unit)));
  script.line("set xlabel {} offset 0,0.5\nset rmargin 6", literal(p.x_label));
  // What no calendar has (nanoseconds, say) gnuplot refuses, or counts years for minutes.
  constexpr double last_date = 8e11;
  if (timed && along.low > -last_date && along.high < last_date)
    script.line("set xdata time\nset timefmt '%s'\nset format x '%Y-%m-%d'");
  script.panels(shortened(title, 110), close_up ? 2 : 1, 1);
  draw_part(script, p, x, 0);
  if (close_up) {
    script.line("set title 'the last {} of {}'", close_up_samples, x.size());
    draw_part(script, p, x, x.size() - close_up_samples);
  }
  script.line("unset multiplot");
  figure.script = script.text();
  figure.values = values_of_plot(p, mean_absolute_error(p));
  return figure;
}

Figure prediction_scatter(const PredictionPlot& p) {
  const std::string title = title_with_error(p);
  Figure figure{clean_text(title), {}, 600, 620};
  Script script = plain_plot();
  const Range both = padded(united(range_of(p.truth), range_of(p.prediction)), 0.04);
  script.line("set title {}", literal(wrapped(title, 60)));
  script.line("set xlabel {} offset 0,0.5", literal("true " + with_unit(p.quantity, p.unit)));
  script.line("set ylabel {}", literal("predicted " + with_unit(p.quantity, p.unit)));
  script.line("set xrange [{0}:{1}]\nset yrange [{0}:{1}]\nset size ratio 1", both.low, both.high);
  const auto points = script.points(p.truth, p.prediction);
  // Many points hide each other: the more, the more transparent.
  const char* transparency = p.truth.size() > 300 ? "a0" : "50";
  script.line(
      "plot {} using 1:2 with points pt 7 ps 0.6 lc rgb '#{}{}' title 'samples', "
      "x with lines lw 1.5 lc rgb '#555555' title 'perfect prediction'",
      points, transparency, colour(0) + 1);
  figure.script = script.text();
  figure.values = values_of_plot(p, mean_absolute_error(p));
  return figure;
}

}  // namespace mtl::report
