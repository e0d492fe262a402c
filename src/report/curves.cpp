#include "mtl/report/curves.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "script.hpp"
#include "values.hpp"

namespace mtl::report {
namespace {

constexpr int panel_width = 480, panel_height = 330, title_height = 40;
constexpr std::size_t marked_points = 40;  // up to here every point gets a dot

std::vector<double> count_from_one(std::size_t size) {
  std::vector<double> x(size);
  std::iota(x.begin(), x.end(), 1.0);
  return x;
}

// Sets both axes to what the series hold.
void scale(Script& script, Range x, Range y, bool whole_x) {
  const double aside = std::max(0.5, std::abs(x.low) * 1e-6);  // so that it can be told apart
  if (x.low == x.high) x = {x.low - aside, x.high + aside};
  script.line("set xrange [{}:{}]", x.low, x.high);
  // Epochs are whole: no tics between them.
  if (whole_x && x.high - x.low < 10)
    script.line("set xtics 1");
  else
    script.line("set xtics autofreq");
  const bool logarithmic = y.low > 0 && y.high / y.low > 100;
  if (logarithmic) {
    script.line("set logscale y").line("set format y '%g'");
    script.line("set yrange [{}:{}]", y.low / 1.2, y.high * 1.2);
  } else {
    y = padded(y, 0.05);
    script.line("unset logscale y").line("set format y '%g'");
    script.line("set yrange [{}:{}]", y.low, y.high);
  }
}

std::string curve(const std::string& points, const std::string& name, std::size_t which,
                  std::size_t size) {
  return fmt::format("{} using 1:2 with {} lw 2 pt 7 ps 0.5 lc rgb '{}' title {}", points,
                     size <= marked_points ? "linespoints" : "lines", colour(which), literal(name));
}

void draw_curves(Script& script, const LossCurves& panel, int64_t best_epoch) {
  const Range y = united(range_of(panel.train), range_of(panel.validation));
  if (y.low > y.high) throw Error("loss curves \"{}\": there is no value to draw", panel.title);
  const auto epochs = std::max(panel.train.size(), panel.validation.size());
  const auto x = count_from_one(epochs);
  scale(script, {1, static_cast<double>(epochs)}, y, true);

  std::vector<std::string> plots;
  const auto add = [&](const std::vector<double>& values, const char* name, std::size_t which) {
    const Range range = range_of(values);
    if (range.low <= range.high)
      plots.push_back(curve(script.points(x, values), name, which, epochs));
  };
  add(panel.train, "training", 0);
  add(panel.validation, "validation", 1);
  if (best_epoch >= 1 && best_epoch <= static_cast<int64_t>(epochs)) {
    // An arrow spans the panel whatever its scale; the line without points puts it into the legend.
    script.line(
        "set arrow 1 from {0}, graph 0 to {0}, graph 1 nohead back lw 1.5 dt 2 lc rgb '#555555'",
        best_epoch);
    plots.push_back(fmt::format(
        "NaN with lines lw 1.5 dt 2 lc rgb '#555555' title 'best epoch ({})'", best_epoch));
  }
  script.line("plot {}", fmt::join(plots, ", "));
}

}  // namespace

Figure loss_curves(const std::string& title, const std::vector<LossCurves>& panels,
                   int64_t best_epoch) {
  if (panels.empty()) throw Error("loss curves \"{}\": there is no panel to draw", title);
  const int count = static_cast<int>(panels.size());
  const int columns = count <= 3 ? count : (count == 4 ? 2 : 3);
  const int rows = (count + columns - 1) / columns;
  Figure figure{clean_text(title),
                {},
                count == 1 ? 720 : columns * panel_width,
                title_height + rows * (count == 1 ? 400 : panel_height)};

  Script script = plain_plot();
  script.line("set xlabel 'epoch' offset 0,0.5").line("set ylabel 'loss'");
  if (count == 1) {
    script.line("set title {} font ',13'", literal(wrapped(title, 70)));
    draw_curves(script, panels[0], best_epoch);
  } else {
    script.panels(shortened(title, figure.width / 9), rows, columns);
    for (const LossCurves& panel : panels) {
      script.line("set title {}", literal(shortened(panel.title, 44)));
      draw_curves(script, panel, best_epoch);
    }
    script.line("unset multiplot");
  }
  figure.script = script.text();
  io::Json values = {{"best_epoch", best_epoch}, {"panels", io::Json::array()}};
  for (const LossCurves& panel : panels)
    values["panels"].push_back({{"title", clean_text(panel.title)},
                                {"training", panel.train},
                                {"validation", panel.validation}});
  figure.values = values_text(values);
  return figure;
}

Figure lines(const LinePlot& plot) {
  Figure figure{clean_text(plot.title), {}, 800, 460};
  Script script = plain_plot();
  Range x_range = range_of({}), y_range = range_of({});
  std::vector<std::string> plots;
  for (const Series& series : plot.series) {
    const auto x = plot.x.empty() ? count_from_one(series.values.size()) : plot.x;
    if (x.size() != series.values.size())
      throw Error("plot \"{}\": series \"{}\" has {} values for {} places on the axis", plot.title,
                  series.name, series.values.size(), x.size());
    x_range = united(x_range, range_of(x));
    y_range = united(y_range, range_of(series.values));
    plots.push_back(curve(script.points(x, series.values), series.name, plots.size(), x.size()));
  }
  if (y_range.low > y_range.high || x_range.low > x_range.high)
    throw Error("plot \"{}\": there is no value to draw", plot.title);
  script.line("set title {}", literal(wrapped(plot.title, 80)));
  script.line("set xlabel {} offset 0,0.5\nset ylabel {}", literal(plot.x_label),
              literal(plot.y_label));
  scale(script, x_range, y_range, plot.x.empty());
  script.line("plot {}", fmt::join(plots, ", "));
  figure.script = script.text();
  io::Json values = {{"x", plot.x_label}, {"y", plot.y_label}, {"series", io::Json::array()}};
  if (!plot.x.empty()) values["places"] = plot.x;
  for (const Series& series : plot.series)
    values["series"].push_back({{"name", clean_text(series.name)}, {"values", series.values}});
  figure.values = values_text(values);
  return figure;
}

Figure loss_curves(const TrainingRun& run) {
  std::vector<LossCurves> panels{{"total", {}, {}}};
  for (const auto& task : run.history.tasks) panels.push_back({task, {}, {}});
  for (const EpochRecord& epoch : run.history.epochs) {
    const auto add = [&](const SplitRecord& part, std::vector<double> LossCurves::*values) {
      if (part.losses.empty()) return;  // no validation
      (panels[0].*values).push_back(part.total);
      for (size_t t = 0; t < part.losses.size(); ++t)
        (panels[t + 1].*values).push_back(part.losses[t]);
    };
    add(epoch.train, &LossCurves::train);
    add(epoch.valid, &LossCurves::validation);
  }
  std::erase_if(panels, [](const LossCurves& panel) {
    const auto is_finite = [](double value) { return std::isfinite(value); };
    return std::none_of(panel.train.begin(), panel.train.end(), is_finite) &&
           std::none_of(panel.validation.begin(), panel.validation.end(), is_finite);
  });
  return loss_curves("Loss by epoch", panels, run.best_epoch);
}

}  // namespace mtl::report
