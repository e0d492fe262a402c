#include "mtl/report/matrices.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "script.hpp"
#include "values.hpp"

namespace mtl::report {
namespace {

constexpr int longest_tic = 30, tic_letter_width = 8;
constexpr const char *white = "#ffffff", *black = "#222222", *grey = "#a8a8a8";

struct Cells {
  std::string title, x_label, y_label;
  const std::vector<std::string>& row_names;
  const std::vector<std::string>& column_names;
  Eigen::MatrixXd shade;                      // what the palette shows, NaN: empty
  std::function<std::string(int, int)> text;  // what stands in the cell
  std::function<const char*(int, int)> ink;   // the colour of that text
  std::string palette, legend;
};

int widest(const std::vector<std::string>& names) {
  int width = 0;
  for (const auto& name : names)
    width = std::max(width, std::min(display_width(name), longest_tic));
  return width;
}

std::string tics(const std::vector<std::string>& names) {
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < names.size(); ++i)
    entries.push_back(fmt::format("{} {}", tic_literal(shortened(names[i], longest_tic)), i));
  return fmt::format("({})", fmt::join(entries, ", "));
}

// A matrix of shaded cells with a text each; the first row stands on top.
Figure cells(const Cells& m) {
  const int size = static_cast<int>(m.shade.rows());
  int longest = 1;
  for (int row = 0; row < size; ++row)
    for (int column = 0; column < size; ++column)
      longest = std::max(longest, display_width(m.text(row, column)));
  // Cells fit their longest number; few classes get roomy cells, many get what is needed.
  const int cell = std::max({size <= 6 ? 84 : size <= 12 ? 56 : 26, longest * 7 + 8, 330 / size});
  const int font = cell >= 56 ? 12 : cell >= 36 ? 10 : 8;
  const int names = widest(m.row_names) * tic_letter_width,
            below = widest(m.column_names) * tic_letter_width;
  const bool upright = below <= cell - 4;
  const int left = names + 60, right = 110, top = 60, bottom = (upright ? 24 : below + 10) + 44;
  const int side = cell * size;

  Figure figure{clean_text(m.title), {}, left + side + right, top + side + bottom};
  Script script = plain_plot();
  const auto horizontal = [&](double pixels) { return pixels / figure.width; };
  const auto vertical = [&](double pixels) { return pixels / figure.height; };
  script.line("set lmargin at screen {}\nset rmargin at screen {}", horizontal(left),
              horizontal(left + side));
  script.line("set bmargin at screen {}\nset tmargin at screen {}", vertical(bottom),
              vertical(bottom + side));
  script.line("unset key\nset border 15\nunset grid\nset tics scale 0");
  // A title centred over the picture has more room than one over the matrix.
  script.line("set label {} at screen 0.5, screen {} center font ',13'",
              literal(wrapped(m.title, figure.width / 9)), 1 - vertical(22));
  script.line("set label {} at screen {}, screen {} center rotate by 90", literal(m.y_label),
              horizontal(16), vertical(bottom + side / 2.0));
  script.line("set label {} at screen {}, screen {} center", literal(m.x_label),
              horizontal(left + side / 2.0), vertical(14));
  script.line("set xtics {} {}", tics(m.column_names), upright ? "center" : "rotate by 90 right");
  script.line("set ytics {}", tics(m.row_names));
  script.line("set xrange [-0.5:{0}]\nset yrange [{0}:-0.5]", size - 0.5);
  script.line("{}\nset cblabel {}", m.palette, literal(m.legend));
  script.line("set colorbox user origin screen {},{} size screen {},{}",
              horizontal(left + side + 16), vertical(bottom), horizontal(14), vertical(side));

  script.line("$cells << END");
  for (int row = 0; row < size; ++row)
    for (int column = 0; column < size; ++column)
      if (std::isfinite(m.shade(row, column)))
        script.line("{} {} {}", column, row, m.shade(row, column));
  script.line("END");
  for (int row = 0; row < size; ++row)
    for (int column = 0; column < size; ++column)
      if (const auto text = m.text(row, column); !text.empty())
        script.line("set label {} at {},{} center front font ',{}' textcolor rgb '{}'",
                    literal(text), column, row, font, m.ink(row, column));
  script.line(
      "plot $cells using 1:2:(0.5):(0.5):3 with boxxyerror "
      "fillstyle solid noborder linecolor palette");
  figure.script = script.text();
  return figure;
}

void check_square(const char* what, const std::string& title, const Eigen::MatrixXd& matrix,
                  const std::vector<std::string>& names) {
  const auto size = static_cast<Eigen::Index>(names.size());
  if (size == 0) throw Error("{} \"{}\": there is nothing to draw", what, title);
  if (matrix.rows() != size || matrix.cols() != size)
    throw Error("{} \"{}\": a matrix of {} x {} for {} names", what, title, matrix.rows(),
                matrix.cols(), names.size());
}

}  // namespace

Figure confusion_chart(const ConfusionChart& chart) {
  check_square("confusion matrix", chart.title, chart.counts, chart.class_names);
  const Eigen::MatrixXd& counts = chart.counts;
  const double total = counts.sum(), right = counts.trace();
  if (!(counts.array() >= 0).all() || !std::isfinite(total) || total <= 0)
    throw Error("confusion matrix \"{}\": counts must not be negative, and one must be positive",
                chart.title);
  const Eigen::VectorXd rows = counts.rowwise().sum();  // counts may be shares or sums of weights
  const Eigen::MatrixXd shares =
      (rows.array() > 0).select(rows.cwiseInverse(), 0).asDiagonal() * counts;
  const bool crowded = chart.class_names.size() > 12;  // where zeros would hide what matters
  Figure figure = cells({
      fmt::format("{}: accuracy {:.1f}\u00a0% ({} of {})", chart.title, 100 * right / total, right,
                  total),
      "predicted",
      "true",
      chart.class_names,
      chart.class_names,
      shares,
      [&](int row, int column) {
        const double count = counts(row, column);
        return crowded && count == 0 ? std::string() : fmt::format("{}", count);
      },
      [&](int row, int column) {
        return shares(row, column) > 0.55 ? white : shares(row, column) > 0 ? black : grey;
      },
      "set palette defined (0 '#ffffff', 0.5 '#7fb2d9', 1 '#08519c')\nset cbrange [0:1]",
      "share of the true class",
  });
  figure.values =
      values_text({{"classes", clean_texts(chart.class_names)}, {"counts", json_of(chart.counts)}});
  return figure;
}

Figure cosine_heat_map(const std::string& title, const std::vector<std::string>& task_names,
                       const Eigen::MatrixXd& cosines) {
  check_square("heat map", title, cosines, task_names);
  Figure figure = cells({
      title,
      "",
      "",
      task_names,
      task_names,
      cosines,
      [&](int row, int column) {
        const double cosine = cosines(row, column);
        return std::isfinite(cosine) ? fmt::format("{:.2f}", cosine) : std::string();
      },
      [&](int row, int column) { return std::abs(cosines(row, column)) > 0.6 ? white : black; },
      "set palette defined "
      "(-1 '#b2182b', -0.5 '#ef8a62', 0 '#f7f7f7', 0.5 '#67a9cf', 1 '#2166ac')\n"
      "set cbrange [-1:1]",
      "cosine",
  });
  figure.values = values_text({{"names", clean_texts(task_names)}, {"cosines", json_of(cosines)}});
  return figure;
}

}  // namespace mtl::report
