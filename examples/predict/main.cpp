// Predicts every row of a CSV file, or every picture, with a bundle that mtl::save_bundle wrote.
#include <fmt/core.h>
#include <torch/utils.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "mtl/core/error.hpp"
#include "predict_table.hpp"
#ifdef MTL_HAS_IMAGES
#include "predict_pictures.hpp"
#endif

namespace {

void write(std::string_view lines) {
  if (std::fwrite(lines.data(), 1, lines.size(), stdout) != lines.size())
    throw mtl::Error("cannot write the answers: is the disk full, or the pipe closed?");
}

PredictTimes predict(mtl::Predictor& predictor, const std::vector<std::filesystem::path>& given,
                     PredictOptions options) {
#ifdef MTL_HAS_IMAGES
  if (takes_pictures(predictor)) {
    if (options.batch == 0) options.batch = 32;
    return predict_pictures(predictor, picture_files(given), options, write,
                            [](std::string_view text) { fmt::print(stderr, "{}\n", text); });
  }
#endif
  if (given.size() > 1)
    throw mtl::Error("found {} files; the bundle takes one table: its input is no pictures",
                     given.size());
  if (options.batch == 0) options.batch = 256;
  return predict_table(predictor, given.empty() ? "/dev/stdin" : given[0], options, write);
}

}  // namespace

int main(int argc, char** argv) try {
  std::string bundle, separator = ",";
  std::vector<std::filesystem::path> given;
  PredictOptions options{.batch = 0};
  int threads = 1;
  bool json = false, times_wanted = false;
  CLI::App app(
      "Predicts with a bundle each row of a table, or each picture where the bundle takes "
      "pictures: CSV or JSON lines out, of any length in constant memory");
  app.add_option("bundle", bundle, "Folder of the bundle")->required();
  app.add_option("given", given,
                 "CSV file whose first line names the columns; left out: the input. Or pictures, "
                 "and folders of them")
      ->check(CLI::ExistingPath);
  app.add_flag("--json", json, "JSON lines instead of CSV");
  app.add_flag("--probabilities", options.probabilities, "The probability of every class, too");
  app.add_option("--keep", options.keep, "Columns of the table to hand through")->delimiter(',');
  app.add_option("--separator", separator, "Between the cells of the table")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return std::string(text.size() == 1 ? "" : "one character is expected");
      });
  app.add_option("--batch", options.batch,
                 "How many go through the network at once; left out: 256 rows, 32 pictures")
      ->check(CLI::PositiveNumber);
  app.add_option("--threads", threads, "Threads for the arithmetic")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--workers", options.workers, "Threads that read and decode pictures")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_flag("--times", times_wanted, "How long it took, and the network in it, to the errors");
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(threads);
  options.separator = separator[0];
  if (json) options.format = mtl::AnswerText::Format::json;

  mtl::Predictor predictor(bundle);
  const PredictTimes times = predict(predictor, given, options);
  if (std::fflush(stdout) != 0) throw mtl::Error("cannot write the answers");
  if (times.unusable > 0)
    fmt::print(stderr, "{} of {} pictures could not be read and have no answers\n", times.unusable,
               times.rows);
  if (times_wanted)
    fmt::print(stderr, "{} rows in {:.3f} s, {:.3f} s of them in the network\n", times.rows,
               times.seconds, times.network);
  return 0;
} catch (const mtl::Error& error) {
  fmt::print(stderr, "error: {}\n", error.what());
  return 1;
}
