#include "catch.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/report/report.hpp"
#include "temporary_folder.hpp"

using namespace mtl;
using namespace mtl::report;

namespace {

const double nan_value = std::nan("");
// Everything that a shell, gnuplot, SVG or printf could take for something else.
const std::string nasty =
    "気温 \"q\" 'a' `touch mtl-ran-this` $HOME @m {a}^b_c 50 % %s \\n \\ & <b> ~ # !";

bool have_gnuplot() {
  try {
    draw({"probe", "plot x\n", 100, 100}, Format::svg);
  } catch (const NoGnuplot&) {
    WARN("gnuplot is not installed; pictures are not tested");
    return false;
  }
  return true;
}

uint32_t big_endian(const std::string& bytes, std::size_t at) {
  uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Draws both formats and checks what every picture must be; returns the SVG.
std::string drawn(const Figure& figure) {
  const auto png = draw(figure, Format::png);
  REQUIRE(png.size() > 1500);  // an empty frame of this size compresses to less
  CHECK(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
  CHECK(big_endian(png, 16) == static_cast<uint32_t>(figure.width));
  CHECK(big_endian(png, 20) == static_cast<uint32_t>(figure.height));
  const auto svg = draw(figure, Format::svg);
  CHECK(svg.find("</svg>") != std::string::npos);
  return svg;
}

std::string xml_text(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return result;
}

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

PredictionPlot predictions(std::size_t size) {
  PredictionPlot p{"気温, validation", "temperature", "°C", {}, {}, "day", {}};
  for (std::size_t i = 0; i < size; ++i) {
    p.truth.push_back(20 + 5 * std::sin(static_cast<double>(i) / 9));
    p.prediction.push_back(p.truth.back() + (i % 2 ? 1.5 : -0.5));
  }
  return p;
}

}  // namespace

TEST_CASE("loss curves: titles, both curves and the best epoch, gaps and a single epoch") {
  if (!have_gnuplot()) return;
  const auto svg = drawn(loss_curves(
      "損失", {{"total", {3, 2, nan_value, 1}, {3, 2.5, 2, 2.2}}, {nasty, {1, 1, 1, 1}, {}}}, 3));
  CHECK(contains(svg, "損失"));
  CHECK(contains(svg, ">total<"));
  CHECK(occurrences(svg, ">training<") == 2);
  CHECK(occurrences(svg, ">validation<") == 1);
  CHECK(contains(svg, "best epoch (3)"));
  CHECK(contains(drawn(loss_curves("one epoch", {{"", {0.5}, {0.7}}}, 1)), "one epoch"));
  CHECK_FALSE(contains(drawn(loss_curves("no best epoch", {{"", {1, 2}, {}}})), "best epoch ("));
  drawn(loss_curves("four decades", {{"", {1000, 10, 0.1}, {}}}));
  CHECK(contains(error_text([] { loss_curves("t", {}); }), "no panel"));
  CHECK(contains(error_text([] {
                   loss_curves("t", {{"panel", {nan_value}, {}}});
                 }),
                 "\"panel\": there is no value"));
}

TEST_CASE("loss curves of a run: the total and each task that has a value") {
  TrainingRun run;
  run.history.tasks = {"temp", "never labelled", "sky"};
  run.history.epochs = {{1, 0.1, {3, {1, nan_value, 2}, {}}, {4, {2, nan_value, 2}, {}}},
                        {2, 0.1, {2, {1, nan_value, 1}, {}}, {3, {2, nan_value, 1}, {}}}};
  run.best_epoch = 2;
  if (have_gnuplot()) {
    const auto svg = drawn(loss_curves(run));
    for (const auto text : {">total<", ">temp<", ">sky<", "best epoch (2)"})
      CHECK(contains(svg, text));
    CHECK_FALSE(contains(svg, "never labelled"));
    CHECK(occurrences(svg, ">validation<") == 3);
    for (EpochRecord& epoch : run.history.epochs) epoch.valid = {};
    CHECK(occurrences(drawn(loss_curves(run)), ">validation<") == 0);
  }
  CHECK(contains(error_text([] { loss_curves(TrainingRun()); }), "no panel"));
}

TEST_CASE("lines: a single place stands in the middle of its axis, however far out it is") {
  for (const double place : {3.0, 1.7e18})  // a step; nanoseconds since 1970
    CHECK(!contains(lines({.title = "t", .x = {place}, .series = {{"s", {1}}}}).script,
                    fmt::format("set xrange [{0}:{0}]", place)));
}

TEST_CASE("lines: every series by name") {
  if (!have_gnuplot()) return;
  const auto svg = drawn(lines({"weights",
                                "step",
                                "weight",
                                {10, 20, 30},
                                {{"天気", {1, nan_value, 2}}, {"ear_1", {2, 2, 2}}}}));
  for (const auto text : {"weights", "step", "weight", "天気", "ear_1"}) CHECK(contains(svg, text));
  CHECK(contains(error_text([] {
                   lines({"t", "", "", {1, 2}, {{"s", {1}}}});
                 }),
                 "1 values for 2 places"));
  CHECK(contains(error_text([] { lines({"t", "", "", {}, {}}); }), "no value"));
}

TEST_CASE("predictions: the MAE leaves out missing values and stands in the title") {
  auto p = predictions(4);
  CHECK(prediction_scatter(p).title == "気温, validation: MAE 1\u00a0°C");
  p.truth[1] = nan_value;
  p.prediction[3] = nan_value;
  CHECK(prediction_scatter(p).title == "気温, validation: MAE 0.5\u00a0°C");
  if (have_gnuplot()) {
    CHECK(contains(drawn(prediction_scatter(p)), "true temperature [°C]"));
    CHECK(contains(drawn(prediction_series(p)), "temperature [°C]"));
  }
  p.prediction.pop_back();
  CHECK(contains(error_text([&] { prediction_scatter(p); }), "4 true values for 3"));
  CHECK(contains(error_text([] {
                   prediction_series({"t", "", "", {nan_value}, {1}, "", {}});
                 }),
                 "no sample"));
  CHECK(contains(error_text([] { prediction_series({}); }), "no sample"));
  auto wrong = predictions(3);
  wrong.times = {1};
  CHECK(contains(error_text([&] { prediction_series(wrong); }), "1 times for 3"));
}

TEST_CASE("predictions: a long series shows its last part once more, dates are dates") {
  if (!have_gnuplot()) return;
  auto p = predictions(300);
  for (int i = 0; i < 300; ++i) p.times.push_back(1577836800.0 + 86400.0 * i);
  const auto svg = drawn(prediction_series(p));
  CHECK(contains(svg, "the last 120 of 300"));
  CHECK(contains(svg, "2020-0"));
  CHECK_FALSE(contains(drawn(prediction_series(predictions(1))), "the last"));
}

TEST_CASE("predictions: times that no calendar has are drawn as numbers") {
  auto p = predictions(3);
  p.times = {1.7e9, 1.8e9, 1.9e9};
  CHECK(contains(prediction_series(p).script, "set xdata time"));
  for (double& time : p.times) time *= 1e9;  // nanoseconds
  CHECK_FALSE(contains(prediction_series(p).script, "set xdata time"));
  p.times.assign(3, nan_value);  // samples are counted where no time is known
  CHECK(contains(prediction_series(p).script, "set xrange [1:3]"));
  CHECK(contains(error_text([] {
                   lines({.title = "t", .x = {nan_value}, .series = {{"s", {1}}}});
                 }),
                 "no value to draw"));
}

TEST_CASE("confusion matrix: accuracy, names and all counts, from 2 to 40 classes") {
  const Eigen::Matrix2d counts{{8, 2}, {1, 9}};
  CHECK(confusion_chart({"Weather", {"晴", "雨"}, counts}).title ==
        "Weather: accuracy 85.0\u00a0% (17 of 20)");
  // Shares of all samples are shaded as their counts are.
  const auto cell = [](const Eigen::Matrix2d& cells) {
    const std::string script = confusion_chart({"t", {"a", "b"}, cells}).script;
    return script.substr(script.find("$cells << END"), 40);
  };
  CHECK(cell(counts) == cell(counts / 16));
  if (have_gnuplot())
    for (const int classes : {2, 9, 40}) {
      std::vector<std::string> names;
      for (int i = 0; i < classes; ++i) names.push_back("犬種_" + std::to_string(i) + "%");
      Eigen::MatrixXd square = Eigen::MatrixXd::Zero(classes, classes);
      for (int i = 0; i < classes; ++i) square(i, i) = 1000 + i;
      const auto svg = drawn(confusion_chart({"breeds", names, square}));
      for (int i = 0; i < classes; ++i) {
        REQUIRE(occurrences(svg, ">" + names[i] + "<") == 2);  // a row and a column
        REQUIRE(contains(svg, ">" + std::to_string(1000 + i) + "<"));
      }
    }
  CHECK(contains(error_text([&] { confusion_chart({"t", {"a"}, counts}); }), "2 x 2 for 1 names"));
  CHECK(contains(error_text([] { confusion_chart({"t", {}, {}}); }), "nothing to draw"));
  CHECK(contains(error_text([] {
                   confusion_chart({"t", {"a"}, Eigen::MatrixXd::Zero(1, 1)});
                 }),
                 "one must be positive"));
  CHECK(contains(error_text([] {
                   confusion_chart({"t", {"a"}, -Eigen::MatrixXd::Ones(1, 1)});
                 }),
                 "negative"));
}

TEST_CASE("cosine heat map: two decimals a cell, none where a task had no gradient") {
  if (!have_gnuplot()) return;
  Eigen::Matrix3d cosines{{1, -0.25, nan_value}, {-0.25, 1, 0}, {nan_value, 0, 1}};
  const auto svg = drawn(cosine_heat_map("cosines", {"breed", "ear", "髪"}, cosines));
  CHECK(occurrences(svg, ">-0.25<") == 2);
  CHECK(occurrences(svg, ">1.00<") == 3);
  CHECK(occurrences(svg, ">髪<") == 2);
  CHECK_FALSE(contains(svg, ">nan<"));
}

TEST_CASE("contours: panels, paths and a front") {
  if (!have_gnuplot()) return;
  ContourPanel panel{
      "MGDA", Eigen::VectorXd::LinSpaced(20, -1, 1), Eigen::VectorXd::LinSpaced(30, -2, 2), {}, {},
      {}};
  panel.z = panel.y.array().square().matrix().replicate(1, 20) +
            panel.x.transpose().array().square().matrix().replicate(30, 1);
  panel.paths = {{"start 1", {-0.9, -0.5, 0}, {1.5, 1, 0}}, {"", {0.5}, {0.5}}};
  panel.front = {"Pareto front", {-0.5, 0.5}, {0, 0}};
  const auto one = drawn(contours({"toy", "θ1", "θ2", 8, {panel}}));
  for (const auto text : {"toy", "θ1", "θ2", "MGDA", "start 1", "Pareto front"})
    CHECK(contains(one, text));
  const auto two = drawn(contours({"toy", "θ1", "θ2", 8, {panel, panel}}));
  CHECK(occurrences(two, ">MGDA<") == 2);
  CHECK(contains(error_text([] { contours({}); }), "no panel"));
  auto flat = panel;  // a loss that does not depend on the two
  flat.z.setConstant(2);
  CHECK(contains(drawn(contours({"toy", "", "", 8, {flat}})), "start 1"));
  CHECK(occurrences(drawn(contours({"toy", "", "", 8, {panel, flat, panel}})), ">MGDA<") == 3);
  panel.z(3, 3) = nan_value;
  CHECK(contains(error_text([&] { contours({"t", "", "", 8, {panel}}); }), "not finite"));
  panel.z.resize(20, 30);
  CHECK(contains(error_text([&] {
                   contours({"t", "", "", 8, {panel}});
                 }),
                 "20 x 30 values for 30 rows and 20"));
}

TEST_CASE("interval chart: names and values, with and without intervals") {
  if (!have_gnuplot()) return;
  const auto svg =
      drawn(interval_chart({"difference",
                            "points",
                            {{"breed 10%", 0.8, -0.2, 1.8}, {"耳", 1, nan_value, nan_value}},
                            true}));
  for (const auto text : {"difference", "points", "breed 10%", "耳"}) CHECK(contains(svg, text));
  CHECK(contains(error_text([] { interval_chart({}); }), "nothing to draw"));
  CHECK(contains(error_text([] {
                   interval_chart({"t", "", {{"a", 3, 1, 2}}, false});
                 }),
                 "outside its interval"));
  CHECK(contains(error_text([] {
                   interval_chart({"t", "", {{"a", nan_value, 1, 2}}, false});
                 }),
                 "has no value"));
}

TEST_CASE("contact sheet: a tile for every picture, of any size") {
  std::vector<Tile> tiles;
  for (int i = 1; i <= 7; ++i)
    tiles.push_back({torch::randint(256, {3, 40 * i, 30}, torch::kByte),
                     "犬 " + std::to_string(i) + "\npredicted: cat"});
  if (have_gnuplot()) {
    const auto sheet = contact_sheet("Worst mistakes", tiles, 3, 90);
    const auto svg = drawn(sheet);
    for (int i = 1; i <= 7; ++i) CHECK(contains(svg, "犬 " + std::to_string(i)));
    CHECK(draw(sheet, Format::png).size() > 10000);  // noise does not compress
  }
  CHECK(contains(error_text([] { contact_sheet("t", {}); }), "no picture"));
  CHECK(contains(error_text([] {
                   contact_sheet("t", {{torch::rand({3, 4, 4}), ""}});
                 }),
                 "Float, expected uint8"));
  CHECK(contains(error_text([] { contact_sheet("t", {{{}, ""}}); }), "undefined"));
  CHECK(contains(error_text([&] { contact_sheet("t", tiles, 0); }), "0 columns"));
}

TEST_CASE("text is drawn as it is: no shell, no formats, no markup, no broken bytes") {
  if (!have_gnuplot()) return;
  const auto svg = drawn(lines({nasty, nasty, nasty, {}, {{nasty, {1, 2}}}}));
  CHECK(occurrences(svg, xml_text(nasty)) == 4);
  CHECK_FALSE(std::filesystem::exists("mtl-ran-this"));
  const auto tics = drawn(confusion_chart({"t", {"%d%%`ls`", "b\nc"}, Eigen::Matrix2d::Ones()}));
  CHECK(occurrences(tics, ">%d%%`ls`<") == 2);
  CHECK(occurrences(tics, ">b c<") == 2);
  CHECK(contains(drawn(lines({"broken \xff\xc3 bytes\x01", "", "", {}, {{"s", {1}}}})),
                 "broken \xef\xbf\xbd\xef\xbf\xbd bytes"));
  CHECK(contains(drawn(lines({"two\nlines", "", "", {}, {{"s", {1}}}})), ">two<"));
}

TEST_CASE("draw: without gnuplot the error names the package; gnuplot's own errors are passed on") {
  const Figure figure{"t", "plot x\n", 100, 100};
  try {
    draw(figure, Format::png, {.gnuplot = "/no/such/gnuplot"});
    FAIL("no error");
  } catch (const NoGnuplot& error) {
    CHECK(contains(error.what(), "/no/such/gnuplot"));
    CHECK(contains(error.what(), "gnuplot-nox"));
  }
  CHECK(contains(error_text([&] { draw(figure, Format::png, {.gnuplot = "/bin/false"}); }),
                 "status 1"));
  CHECK(contains(error_text([&] { draw(figure, Format::png, {.gnuplot = "/bin/true"}); }),
                 "status 0"));
  if (!have_gnuplot()) return;
  CHECK(contains(error_text([] {
                   draw({"wrong", "plot nonsense(\n", 100, 100}, Format::png);
                 }),
                 "gnuplot"));
}

TEST_CASE("save: the extension says the format, and nothing is left behind by a failure") {
  const TemporaryFolder folder;
  const Figure figure{"t", "plot x\n", 200, 100};
  CHECK(contains(error_text([&] { save(figure, folder / "t.jpg"); }), ".png or .svg"));
  CHECK_THROWS_AS(save(figure, folder / "t.png", {.gnuplot = "/no/such/gnuplot"}), NoGnuplot);
  CHECK(std::filesystem::is_empty(folder.path()));
  if (!have_gnuplot()) return;
  save(figure, folder / "t.svg");
  save(figure, folder / "天気.png");
  CHECK(contains(io::read_file(folder / "t.svg"), "<svg"));
  CHECK(io::read_file(folder / "天気.png").starts_with("\x89PNG"));
}
