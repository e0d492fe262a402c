// Draws how combiners walk over two opposed losses: the picture of the papers, from five starts.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>

#include "mtl/io/file.hpp"
#include "mtl/report/report.hpp"
#include "toy_problem.hpp"

namespace {

const std::vector<std::vector<double>> starts = {
    {-8.5, 7.5}, {-8.5, 5.0}, {9.0, 9.0}, {-7.5, -0.5}, {9.0, -1.0}};

/// The mean of the two losses over the plane, and the Pareto set on it.
mtl::report::ContourPanel panel(const std::string& title) {
  constexpr int64_t points = 161;
  mtl::report::ContourPanel panel;
  panel.title = title;
  panel.x = panel.y = Eigen::VectorXd::LinSpaced(points, -10, 10);
  const mtl::Tensor axis = torch::linspace(-10, 10, points, torch::kDouble);
  const mtl::Tensor x = axis.view({1, points, 1}).expand({points, points, 1});
  const mtl::Tensor y = axis.view({points, 1, 1}).expand({points, points, 1});
  const auto losses = toy_losses(torch::cat({x, y}, 2));
  const mtl::Tensor mean = ((losses[0] + losses[1]) / 2).contiguous();
  panel.z = Eigen::Map<const Eigen::Matrix<double, -1, -1, Eigen::RowMajor>>(
      mean.data_ptr<double>(), points, points);
  panel.front.name = "Pareto set";
  for (double x1 = -7; x1 <= 7; x1 += 0.25) {
    panel.front.x.push_back(x1);
    panel.front.y.push_back(pareto_x2(x1));
  }
  return panel;
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> combiners = {"mean", "mgda", "pcgrad", "cagrad:c=0.5", "upgrad", "nash"};
  std::string out = "runs/toy";
  double lr = 1e-3;
  int64_t steps = 35000;
  CLI::App app("Walks of combiners over the two-objective toy of CAGrad and Nash-MTL");
  app.add_option("--combiner", combiners, "One or several, as make_combiner takes them")
      ->capture_default_str();
  app.add_option("--lr", lr, "Learning rate of Adam")->capture_default_str();
  app.add_option("--steps", steps, "Steps from each start")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--out", out, "Folder for the picture")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(1);

  mtl::report::ContourPlot plot{
      .title = "Two opposed losses", .x_label = "x1", .y_label = "x2", .panels = {}};
  fmt::print("{:<16} {:>14} {:>20} {:>9} {:>9}  {}\n", "combiner", "start", "end", "loss 1",
             "loss 2", "in the Pareto set");
  for (const std::string& text : combiners) {
    plot.panels.push_back(panel(text));
    for (const auto& start : starts) {
      const auto combiner = mtl::make_combiner(text);
      const auto path = toy_path(*combiner, start, lr, steps, std::max<int64_t>(1, steps / 400));
      mtl::report::Path drawn{fmt::format("({:g}, {:g})", start[0], start[1]), {}, {}};
      for (const mtl::Tensor& x : path) {
        drawn.x.push_back(x[0].item<double>());
        drawn.y.push_back(x[1].item<double>());
      }
      const auto losses = toy_losses(path.back());
      fmt::print("{:<16} {:>14} {:>20} {:>9.4f} {:>9.4f}  {}\n", text, drawn.name,
                 fmt::format("({:.4f}, {:.4f})", drawn.x.back(), drawn.y.back()),
                 losses[0].item<double>(), losses[1].item<double>(),
                 in_pareto_set(path.back(), 0.05) ? "yes" : "no");
      std::fflush(stdout);
      plot.panels.back().paths.push_back(std::move(drawn));
    }
  }
  mtl::io::make_folder(out);
  const std::filesystem::path picture = std::filesystem::path(out) / "toy.png";
  mtl::report::save(mtl::report::contours(plot), picture);
  fmt::print("{}\n", picture.string());
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
