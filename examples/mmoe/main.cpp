// Do mixtures of experts lose less than a shared bottom where two tasks have little in common?
// Loss by step, over seeds: the table and the picture of docs/mmoe.md.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "mtl/combine/losses/sum.hpp"
#include "mtl/evaluate/evaluate.hpp"
#include "mtl/io/io.hpp"
#include "mtl/report/figure.hpp"
#include "mtl/train/train.hpp"
#include "two_regressions.hpp"

namespace {

using mmoe::models;

struct Options {
  std::vector<double> cosines = {0, 0.5, 0.9, 1};
  int64_t seeds = 3, epochs = 10, steps = 100, batch_size = 128;
  double lr = 5e-3;
  std::filesystem::path out = "runs/mmoe";
};

/// Of one model and cosine: by seed, the mean loss of both tasks on new rows after each epoch.
using Losses = std::vector<std::vector<double>>;

std::vector<double> train(const std::string& name, double cosine, uint64_t seed,
                          const Options& options) {
  const mmoe::TwoRegressions problem(cosine, mtl::mix_seed(seed, 1));
  mmoe::FreshRows rows(problem, options.steps, options.batch_size, mtl::mix_seed(seed, 2));
  torch::Generator random = mtl::make_generator(mtl::mix_seed(seed, 3));
  const mtl::Batch unseen = problem.draw(8192, random);
  mtl::BatchLoader valid(mtl::TensorDataset(unseen.inputs, unseen.targets), {.batch_size = 8192});
  torch::manual_seed(mtl::mix_seed(seed, 4));
  const auto model = mmoe::make_model(name);
  torch::optim::Adam adam(model->parameters(), options.lr);
  const auto run = mtl::Trainer(model, adam, mtl::Sum(), {.epochs = options.epochs})
                       .fit(rows, valid, mtl::CosineLr{.t_max = options.epochs});
  std::vector<double> losses;
  for (const mtl::EpochRecord& epoch : run.history.epochs) losses.push_back(epoch.valid.total / 2);
  return losses;
}

/// The same, of a run that may have been made already: what is done is kept in a file.
std::vector<double> losses_of(const std::string& name, double cosine, int64_t seed,
                              const Options& options) {
  const auto file = options.out / "runs" /
                    fmt::format("{} {:g}, {} epochs, rate {:g}, seed {}.txt", name, cosine,
                                options.epochs, options.lr, seed);
  if (std::filesystem::exists(file)) {
    std::istringstream text(mtl::io::read_file(file));
    return {std::istream_iterator<double>(text), {}};
  }
  const auto losses = train(name, cosine, static_cast<uint64_t>(seed), options);
  mtl::io::make_folder_of(file);
  mtl::io::write_file_atomically(file, fmt::format("{:.6g}\n", fmt::join(losses, "\n")));
  return losses;
}

std::vector<double> last_of(const Losses& losses) {
  std::vector<double> last;
  for (const auto& of_seed : losses) last.push_back(of_seed.back());
  return last;
}

/// A panel a cosine: the mean over seeds by step.
mtl::report::Figure picture(const std::vector<std::vector<Losses>>& found, const Options& options) {
  const std::vector<std::string> colours = {"#000000", "#999999", "#e69f00", "#0072b2", "#d55e00"};
  std::string script =
      "set encoding utf8\nset border 3 lc rgb '#666666'\nset tics nomirror\nset logscale y\n"
      "set grid lc rgb '#e4e4e4' lw 1 lt 1\nset key top right\nset xlabel 'steps'\n"
      "set ylabel 'mean squared error on new rows'\n" +
      fmt::format("set xrange [0:{0}]\nset xtics 0,{1},{0}\n", options.epochs * options.steps,
                  std::max<int64_t>(options.epochs * options.steps / 2, 1));
  std::string plots;
  for (size_t c = 0; c < found.size(); ++c) {
    plots += fmt::format("set title 'cosine {:g}'\nplot ", options.cosines[c]);
    for (size_t m = 0; m < models.size(); ++m) {
      script += fmt::format("$l{}_{} << END\n", c, m);
      for (int64_t e = 0; e < options.epochs; ++e) {
        double sum = 0;
        for (const auto& of_seed : found[c][m]) sum += of_seed[static_cast<size_t>(e)];
        script += fmt::format("{} {}\n", (e + 1) * options.steps,
                              sum / static_cast<double>(options.seeds));
      }
      script += "END\n";
      plots += fmt::format("{}$l{}_{} using 1:2 with lines lw 2 lc rgb '{}' title '{}'",
                           m == 0 ? "" : ", ", c, m, colours[m], models[m]);
    }
    plots += "\nunset ylabel\nunset key\n";
  }
  script += fmt::format("set multiplot layout 1,{}\n{}unset multiplot\n", found.size(), plots);
  return {"Loss by step and cosine of the tasks", script, 320 * static_cast<int>(found.size()),
          380};
}

int run(const Options& options) {
  std::vector<std::vector<Losses>> found(options.cosines.size(),
                                         std::vector<Losses>(models.size()));
  for (int64_t seed = 0; seed < options.seeds; ++seed) {
    for (size_t c = 0; c < found.size(); ++c)
      for (size_t m = 0; m < models.size(); ++m)
        found[c][m].push_back(losses_of(models[m], options.cosines[c], seed, options));
    fmt::print(stderr, "{} of {} seeds\n", seed + 1, options.seeds);
  }
  std::vector<double> p_values;
  for (const auto& by_model : found)
    for (size_t m = 1; m < models.size(); ++m)
      p_values.push_back(
          mtl::evaluate::paired_t_test(last_of(by_model[m]), last_of(by_model[0])).p_value);
  const std::vector<double> corrected = mtl::evaluate::holm(p_values);
  size_t at = 0;
  fmt::print(
      "| cosine | model | loss | beside the shared bottom | 95 % interval | |\n"
      "|---:|---|---:|---:|---|---|\n");
  for (size_t c = 0; c < found.size(); ++c)
    for (size_t m = 0; m < models.size(); ++m) {
      const auto last = last_of(found[c][m]);
      fmt::print("| {:g} | {} | {:.3f} ± {:.3f} |", options.cosines[c], models[m],
                 mtl::evaluate::mean(last), mtl::evaluate::standard_deviation(last));
      if (m == 0) {
        fmt::print(" | | |\n");
        continue;
      }
      const auto judged = mtl::evaluate::judge(last, last_of(found[c][0]), mtl::Better::lower, 0.95,
                                               corrected[at++]);
      fmt::print(" {:+.3f} | {:+.3f} to {:+.3f} | {} |\n", judged.difference.mean,
                 judged.difference.interval.low, judged.difference.interval.high, judged.text());
    }
  mtl::report::save(picture(found, options), options.out / "mmoe.png");
  fmt::print("{}\n", (options.out / "mmoe.png").string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("A shared bottom, OMoE, MMoE and PLE on two regressions of a chosen correlation");
  app.add_option("--cosine", options.cosines, "Between the directions of the two tasks")
      ->check(CLI::Range(-1.0, 1.0))
      ->capture_default_str();
  app.add_option("--seeds", options.seeds, "Runs of each")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  app.add_option("--epochs", options.epochs, "Of 100 steps each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--lr", options.lr, "Of Adam; falls along half a cosine")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--out", options.out, "Folder for the picture and what was reached")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(1);
  return run(options);
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
