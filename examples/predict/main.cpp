// Predicts every row of a CSV file with a bundle that mtl::save_bundle wrote.
#include <fmt/core.h>
#include <torch/utils.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "mtl/core/error.hpp"
#include "predict_table.hpp"

int main(int argc, char** argv) try {
  std::string bundle, table = "/dev/stdin", separator = ",";
  PredictOptions options;
  int threads = 1;
  bool json = false, times_wanted = false;
  CLI::App app(
      "Predicts each row of a table with a bundle: CSV in, CSV or JSON lines out, of any length in "
      "constant memory");
  app.add_option("bundle", bundle, "Folder of the bundle")->required();
  app.add_option("table", table, "CSV file whose first line names the columns; left out: the input")
      ->check(CLI::ExistingFile);
  app.add_flag("--json", json, "JSON lines instead of CSV");
  app.add_flag("--probabilities", options.probabilities, "The probability of every class, too");
  app.add_option("--keep", options.keep, "Columns to hand through")->delimiter(',');
  app.add_option("--separator", separator, "Between the cells of the table")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return std::string(text.size() == 1 ? "" : "one character is expected");
      });
  app.add_option("--batch", options.batch, "Rows that go through the network at once")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--threads", threads, "Threads for the arithmetic")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_flag("--times", times_wanted, "How long it took, and the network in it, to the errors");
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(threads);
  options.separator = separator[0];
  if (json) options.format = AnswerText::Format::json;

  mtl::Predictor predictor(bundle);
  const PredictTimes times = predict_table(predictor, table, options, [](std::string_view lines) {
    if (std::fwrite(lines.data(), 1, lines.size(), stdout) != lines.size())
      throw mtl::Error("cannot write the answers: is the disk full, or the pipe closed?");
  });
  if (std::fflush(stdout) != 0) throw mtl::Error("cannot write the answers");
  if (times_wanted)
    fmt::print(stderr, "{} rows in {:.3f} s, {:.3f} s of them in the network\n", times.rows,
               times.seconds, times.network);
  return 0;
} catch (const mtl::Error& error) {
  fmt::print(stderr, "error: {}\n", error.what());
  return 1;
}
