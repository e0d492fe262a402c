#include "mtl/report/contours.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "script.hpp"

namespace mtl::report {
namespace {

constexpr int panel_side = 430;

void check(const ContourPanel& panel) {
  if (panel.x.size() < 2 || panel.y.size() < 2)
    throw Error("contours \"{}\": the grid has {} x {} points, expected at least 2 x 2",
                panel.title, panel.x.size(), panel.y.size());
  if (panel.z.rows() != panel.y.size() || panel.z.cols() != panel.x.size())
    throw Error("contours \"{}\": {} x {} values for {} rows and {} columns", panel.title,
                panel.z.rows(), panel.z.cols(), panel.y.size(), panel.x.size());
  if (!panel.z.allFinite()) throw Error("contours \"{}\": a value is not finite", panel.title);
  for (const Path& path : panel.paths)
    if (path.x.size() != path.y.size() || path.x.empty())
      throw Error("contours \"{}\": path \"{}\" has {} x for {} y", panel.title, path.name,
                  path.x.size(), path.y.size());
}

// A surface that is flat has no contour lines.
bool is_flat(const ContourPanel& panel) { return !(panel.z.maxCoeff() > panel.z.minCoeff()); }

// The contour lines as a table of their own, which a flat plot can show together with the paths.
void make_contours(Script& script, const ContourPanel& panel, int levels, int index) {
  if (is_flat(panel)) return;
  script.line("$grid{} << END", index);
  for (Eigen::Index row = 0; row < panel.y.size(); ++row) {
    for (Eigen::Index column = 0; column < panel.x.size(); ++column)
      script.line("{} {} {}", panel.x[column], panel.y[row], panel.z(row, column));
    script.line("");
  }
  script.line("END");
  const double low = panel.z.minCoeff(), step = (panel.z.maxCoeff() - low) / (levels + 1);
  script.line("set contour base\nunset surface\nset cntrparam levels incremental {},{},{}",
              low + step, step, panel.z.maxCoeff());
  script.line("set table $contours{0}\nsplot $grid{0} using 1:2:3 with lines\nunset table", index);
  script.line("unset contour\nset surface");
}

void draw_contours(Script& script, const ContourPanel& panel, int index) {
  script.line("set title {}", literal(shortened(panel.title, 44)));
  script.line("set xrange [{}:{}]\nset yrange [{}:{}]", panel.x[0], panel.x[panel.x.size() - 1],
              panel.y[0], panel.y[panel.y.size() - 1]);
  std::vector<std::string> plots;
  if (is_flat(panel)) {
    plots.emplace_back("NaN notitle");
  } else {
    script.line("set cbrange [{}:{}]", panel.z.minCoeff(), panel.z.maxCoeff());
    plots.push_back(
        fmt::format("$contours{} using 1:2:3 with lines lw 1 lc palette notitle", index));
  }
  if (!panel.front.x.empty())
    plots.push_back(fmt::format("{} using 1:2 with lines lw 6 lc rgb '#90808080' title {}",
                                script.points(panel.front.x, panel.front.y),
                                literal(panel.front.name)));
  for (std::size_t i = 0; i < panel.paths.size(); ++i) {
    const Path& path = panel.paths[i];
    const auto points = script.points(path.x, path.y);
    const auto title = path.name.empty() ? "notitle" : "title " + literal(path.name);
    plots.push_back(
        fmt::format("{} using 1:2 with lines lw 2 lc rgb '{}' {}", points, colour(i), title));
    const auto ends = script.points(std::vector{path.x.front()}, std::vector{path.y.front()});
    plots.push_back(
        fmt::format("{} using 1:2 with points pt 6 ps 1.2 lw 2 lc rgb '#222222' notitle", ends));
    const auto last = script.points(std::vector{path.x.back()}, std::vector{path.y.back()});
    plots.push_back(
        fmt::format("{} using 1:2 with points pt 3 ps 1.4 lw 2 lc rgb '#222222' notitle", last));
  }
  script.line("plot {}", fmt::join(plots, ", "));
}

}  // namespace

Figure contours(const ContourPlot& plot) {
  if (plot.panels.empty()) throw Error("contours \"{}\": there is no panel to draw", plot.title);
  if (plot.levels < 1)
    throw Error("contours \"{}\": {} levels, expected at least 1", plot.title, plot.levels);
  const int count = static_cast<int>(plot.panels.size());
  const int columns = count <= 3 ? count : count == 4 ? 2 : std::min(4, (count + 1) / 2);
  const int rows = (count + columns - 1) / columns;

  Figure figure{clean_text(plot.title), {}, columns * panel_side, 40 + rows * panel_side};
  Script script = plain_plot();
  script.line("unset grid\nset border 15\nunset colorbox\nset size square");
  if (count > 1) script.line("unset key");
  script.line("set palette defined (0 '#31688e', 0.5 '#35b779', 1 '#e2c83a')");
  for (int i = 0; i < count; ++i) {
    check(plot.panels[i]);
    make_contours(script, plot.panels[i], plot.levels, i);
  }
  script.line("set xlabel {} offset 0,0.5\nset ylabel {}", literal(plot.x_label),
              literal(plot.y_label));
  script.panels(shortened(plot.title, figure.width / 10), rows, columns);
  for (int i = 0; i < count; ++i) draw_contours(script, plot.panels[i], i);
  script.line("unset multiplot");
  figure.script = script.text();
  return figure;
}

}  // namespace mtl::report
