#include "mtl/report/intervals.hpp"

#include <fmt/ranges.h>

#include <cmath>

#include "script.hpp"
#include "values.hpp"

namespace mtl::report {

Figure interval_chart(const IntervalChart& chart) {
  constexpr int longest_name = 36, row_height = 30;
  const int count = static_cast<int>(chart.estimates.size());
  Range range = range_of({});
  int names = 0;
  std::vector<std::string> tics;
  Script script = plain_plot();
  script.line("$values << END");
  for (int i = 0; i < count; ++i) {
    const auto& [name, value, low, high] = chart.estimates[i];
    if (!std::isfinite(value)) throw Error("chart \"{}\": \"{}\" has no value", chart.title, name);
    if (low > value || high < value)
      throw Error("chart \"{}\": \"{}\" is {}, outside its interval {} to {}", chart.title, name,
                  value, low, high);
    const double from = std::isfinite(low) ? low : value, to = std::isfinite(high) ? high : value;
    range = united(range, {from, to});
    script.line("{} {} {} {}", value, i, from, to);
    tics.push_back(fmt::format("{} {}", tic_literal(shortened(name, longest_name)), i));
    names = std::max(names, std::min(display_width(name), longest_name));
  }
  script.line("END");
  if (count == 0) throw Error("chart \"{}\": there is nothing to draw", chart.title);
  if (chart.zero_line) range = united(range, {0, 0});
  range = padded(range, 0.06);

  Figure figure{clean_text(chart.title), {}, 640 + names * 8, 110 + count * row_height};
  script.line("set title {}", literal(wrapped(chart.title, figure.width / 9)));
  script.line("set xlabel {}\nunset key\nset ytics ({})", literal(chart.x_label),
              fmt::join(tics, ", "));
  script.line("set xrange [{}:{}]\nset yrange [{}:-0.6]", range.low, range.high, count - 0.4);
  if (chart.zero_line)
    script.line("set arrow from 0, graph 0 to 0, graph 1 nohead lw 1.5 dt 2 lc rgb '#555555'");
  script.line("plot $values using 1:2:3:4 with xerrorbars lw 2 pt 7 ps 1 lc rgb '{}'", colour(0));
  figure.script = script.text();
  io::Json values = io::Json::array();
  for (const auto& [name, value, low, high] : chart.estimates)
    values.push_back({{"name", clean_text(name)}, {"value", value}, {"low", low}, {"high", high}});
  figure.values = values_text({{"x", clean_text(chart.x_label)}, {"estimates", values}});
  return figure;
}

}  // namespace mtl::report
