#include "mtl/report/trade_offs.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "script.hpp"
#include "values.hpp"

namespace mtl::report {
namespace {

constexpr int pair_width = 520, pair_height = 460;

struct Axes {
  size_t x, y;
};

std::string axis_label(const evaluate::Front::Objective& objective) {
  return fmt::format("{} {}, {} is better", objective.task, objective.metric,
                     objective.better == Better::higher ? "higher" : "lower");
}

std::vector<double> along(const std::vector<const evaluate::Front::Point*>& points, size_t axis) {
  std::vector<double> values;
  for (const auto* point : points) values.push_back(point->values[axis]);
  return values;
}

// The front of two tasks as steps: between two models only what the worse of both has is sure.
void add_steps(Script& script, std::vector<const evaluate::Front::Point*> best,
               const evaluate::Front& front, std::vector<std::string>& plots) {
  std::sort(best.begin(), best.end(),
            [](const auto* a, const auto* b) { return a->values[0] < b->values[0]; });
  std::vector<double> x, y;
  for (const auto* point : best) {
    if (!x.empty()) {
      // With lower better in x, going right only y gets better: along x first.
      const bool lower = front.objectives[0].better == Better::lower;
      x.push_back(lower ? point->values[0] : x.back());
      y.push_back(lower ? y.back() : point->values[1]);
    }
    x.push_back(point->values[0]);
    y.push_back(point->values[1]);
  }
  plots.push_back(fmt::format("{} using 1:2 with lines lw 1.5 lc rgb '#888888' title 'front'",
                              script.points(x, y)));
}

void draw_pair(Script& script, const evaluate::Front& front,
               const std::vector<const evaluate::Front::Point*>& finite, const Axes& axes) {
  std::vector<const evaluate::Front::Point*> best;
  for (const auto* point : finite)
    if (point->on_front) best.push_back(point);
  std::vector<std::string> plots;
  if (front.objectives.size() == 2) add_steps(script, best, front, plots);
  std::vector<std::string> methods;
  for (const auto* point : finite)
    if (std::find(methods.begin(), methods.end(), point->method) == methods.end())
      methods.push_back(point->method);
  for (size_t m = 0; m < methods.size(); ++m) {
    std::vector<const evaluate::Front::Point*> own;
    for (const auto* point : finite)
      if (point->method == methods[m]) own.push_back(point);
    plots.push_back(fmt::format("{} using 1:2 with points pt {} ps 0.9 lc rgb '{}' title {}",
                                script.points(along(own, axes.x), along(own, axes.y)),
                                7 + 2 * (m % 3), colour(m), literal(methods[m])));
  }
  plots.push_back(
      fmt::format("{} using 1:2 with points pt 6 ps 1.8 lc rgb '#222222' title 'no other beats it'",
                  script.points(along(best, axes.x), along(best, axes.y))));
  const Range x = padded(range_of(along(finite, axes.x)), 0.06),
              y = padded(range_of(along(finite, axes.y)), 0.06);
  script.line("set xrange [{}:{}]\nset yrange [{}:{}]", x.low, x.high, y.low, y.high);
  script.line("set xlabel {} offset 0,0.5\nset ylabel {}",
              literal(axis_label(front.objectives[axes.x])),
              literal(axis_label(front.objectives[axes.y])));
  script.line("plot {}", fmt::join(plots, ", "));
}

}  // namespace

Figure trade_off_chart(const evaluate::Front& front, const std::string& title) {
  const size_t tasks = front.objectives.size();
  if (tasks < 2 || tasks > 4)
    throw Error("chart \"{}\": {} tasks, expected 2 to 4; draw some of them", title, tasks);
  std::vector<const evaluate::Front::Point*> finite;
  for (const auto& point : front.points)
    if (std::all_of(point.values.begin(), point.values.end(),
                    [](double value) { return std::isfinite(value); }))
      finite.push_back(&point);
  if (finite.empty()) throw Error("chart \"{}\": there is no point to draw", title);
  std::vector<Axes> pairs;
  for (size_t x = 0; x < tasks; ++x)
    for (size_t y = x + 1; y < tasks; ++y) pairs.push_back({x, y});
  const int count = static_cast<int>(pairs.size()), columns = std::min(count, 3);
  const int rows = (count + columns - 1) / columns;

  Figure figure{
      clean_text(title), {}, columns == 1 ? 640 : columns * pair_width, 40 + rows * pair_height};
  Script script = plain_plot();
  script.panels(shortened(title, figure.width / 9), rows, columns);
  for (const Axes& axes : pairs) draw_pair(script, front, finite, axes);
  script.line("unset multiplot");
  figure.script = script.text();
  figure.values = values_text(front.json());
  return figure;
}

}  // namespace mtl::report
