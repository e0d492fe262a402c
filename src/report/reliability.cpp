#include "mtl/report/reliability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mtl/evaluate/sample.hpp"
#include "script.hpp"
#include "values.hpp"

namespace mtl::report {
namespace {

struct Bin {
  double probability = 0, right = 0;  // sums
  int64_t count = 0;
};

std::vector<Bin> bins_of(const ReliabilityChart& chart) {
  if (chart.bins < 1)
    throw Error("reliability \"{}\": {} bins, expected at least 1", chart.title, chart.bins);
  if (chart.probability.size() != chart.right.size())
    throw Error("reliability \"{}\": {} probabilities for {} answers", chart.title,
                chart.probability.size(), chart.right.size());
  std::vector<Bin> bins(static_cast<size_t>(chart.bins));
  for (size_t i = 0; i < chart.right.size(); ++i) {
    const double probability = chart.probability[i], right = chart.right[i];
    if (std::isnan(probability) || std::isnan(right)) continue;
    if (!(probability >= 0 && probability <= 1 && right >= 0 && right <= 1))
      throw Error(
          "reliability \"{}\": answer {} has the probability {} and is right by {}, "
          "expected both in [0, 1]",
          chart.title, i, probability, right);
    // Open below and closed above, as mtl::CalibrationError has them.
    const double edge = std::ceil(probability * static_cast<double>(chart.bins)) - 1;
    Bin& bin =
        bins[static_cast<size_t>(std::clamp(edge, 0.0, static_cast<double>(chart.bins - 1)))];
    bin.probability += probability;
    bin.right += right;
    ++bin.count;
  }
  return bins;
}

}  // namespace

Figure reliability_chart(const ReliabilityChart& chart) {
  const std::vector<Bin> bins = bins_of(chart);
  double distance = 0;
  int64_t total = 0, most = 0;
  for (const Bin& bin : bins) {
    distance += std::abs(bin.probability - bin.right);
    total += bin.count;
    most = std::max(most, bin.count);
  }
  if (total == 0) throw Error("reliability \"{}\": there is no answer", chart.title);
  const double error = distance / static_cast<double>(total);
  const std::string title =
      fmt::format("{}: calibration error {:.1f}\u00a0%", chart.title, 100 * error);

  Figure figure{clean_text(title), {}, 560, 620};
  io::Json values = io::Json::array();
  Script script = plain_plot();
  script.line("$bins << END");
  for (size_t i = 0; i < bins.size(); ++i) {
    const Bin& bin = bins[i];
    if (bin.count == 0) continue;
    const double count = static_cast<double>(bin.count), share = bin.right / count;
    const auto [low, high] = evaluate::proportion_interval(std::llround(bin.right), bin.count);
    const double middle = (static_cast<double>(i) + 0.5) / static_cast<double>(bins.size());
    // Soft truths are no whole number of successes: the interval shall hold the share itself.
    script.line("{} {} {} {} {} {}", bin.probability / count, share, std::min(low, share),
                std::max(high, share), middle, bin.count);
    values.push_back({{"probability", bin.probability / count},
                      {"right", share},
                      {"low", std::min(low, share)},
                      {"high", std::max(high, share)},
                      {"answers", bin.count}});
  }
  script.line("END");
  script.panels(shortened(title, 64), 2, 1);
  script.line("set xrange [0:1]\nset yrange [0:1]\nset lmargin 10\nset rmargin 4");
  script.line("set size 1,0.68\nset origin 0,0.27\nset ylabel {}\nset format x ''",
              literal(chart.y_label));
  script.line(
      "plot x with lines lw 1.5 dt 2 lc rgb '#555555' title 'as sure as right', "
      "$bins using 1:2:3:4 with yerrorbars lw 2 pt 7 ps 0.9 lc rgb '{}' "
      "title 'answers, 95 % interval'",
      colour(0));
  script.line("set size 1,0.3\nset origin 0,0\nset format x '%g'\nunset key\nset boxwidth {}",
              0.9 / static_cast<double>(bins.size()));
  script.line(
      "set yrange [0:{}]\nset ytics 0,{},{}\nset xlabel {} offset 0,0.5\n"
      "set ylabel 'answers'",
      1.1 * static_cast<double>(most), most, most, literal(chart.x_label));
  script.line("plot $bins using 5:6 with boxes fs solid 0.5 noborder lc rgb '{}'", colour(0));
  script.line("unset multiplot");
  figure.script = script.text();
  figure.values = values_text({{"calibration_error", error}, {"bins", values}});
  return figure;
}

}  // namespace mtl::report
