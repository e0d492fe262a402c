// Trains LeNet on two overlaid digits with several combiners and prints the table of
// docs/multi_mnist.md.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>

#include "multi_mnist.hpp"

namespace {

struct Options {
  std::filesystem::path data;
  std::vector<std::string> combiners = {"sum",    "kendall", "mgda",  "pcgrad",
                                        "cagrad", "nash",    "upgrad"};
  int64_t seeds = 3, epochs = 10, batch_size = 256, samples = 60000;
  double lr = 1e-3;
  int threads = 1;
};

/// Accuracy of the left and the right digit, in per cent.
std::pair<double, double> accuracies(mtl::HardSharing& model, const mtl::TensorDataset& data) {
  const torch::NoGradGuard no_grad;
  model->eval();
  std::vector<mtl::Tensor> left, right;
  mtl::BatchLoader loader(data, {.batch_size = 1000});
  for (mtl::Batch batch; loader.next(batch);) {
    const mtl::NamedTensors predictions = model->forward(batch.inputs);
    left.push_back(predictions["left"]);
    right.push_back(predictions["right"]);
  }
  const mtl::Accuracy accuracy;
  return {100 * accuracy(torch::cat(left), data.targets()["left"]),
          100 * accuracy(torch::cat(right), data.targets()["right"])};
}

struct Trained {
  double left, right, seconds_per_epoch;
};

Trained train(const std::string& combiner_text, uint64_t seed, const mtl::TensorDataset& train_data,
              const mtl::TensorDataset& test_data, const Options& options) {
  torch::manual_seed(seed);
  mtl::HardSharing model = left_and_right();
  const auto combiner = mtl::make_combiner(combiner_text, model->tasks());
  torch::optim::Adam adam(model->parameters(), options.lr);
  mtl::BatchLoader loader(
      train_data,
      {.batch_size = options.batch_size, .shuffle = true, .seed = seed, .drop_last = true});
  mtl::Trainer trainer(model, adam, *combiner, {.epochs = options.epochs});
  const mtl::TrainingRun run = trainer.fit(loader);
  const auto [left, right] = accuracies(model, test_data);
  return {left, right, run.seconds / static_cast<double>(options.epochs)};
}

/// Mean and sample standard deviation as "96.12 +- 0.08".
std::string spread(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  if (values.size() < 2) return fmt::format("{:.2f}", mean);
  return fmt::format("{:.2f} ± {:.2f}", mean,
                     std::sqrt(square / static_cast<double>(values.size() - 1)));
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("LeNet on two overlaid digits, one task each, with several combiners");
  app.add_option("--data", options.data, "Folder with MNIST's four idx.gz files")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--combiner", options.combiners, "One or several, as make_combiner takes them")
      ->capture_default_str();
  app.add_option("--seeds", options.seeds, "Runs of each combiner")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--epochs", options.epochs)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--samples", options.samples, "Training pictures, from the beginning")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--batch-size", options.batch_size)
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--lr", options.lr, "Learning rate of Adam")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--threads", options.threads)->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(options.threads);

  const mtl::TensorDataset train_data = multi_mnist(options.data, "train", options.samples, 1);
  const mtl::TensorDataset test_data = multi_mnist(options.data, "t10k", 10000, 2);
  fmt::print("{} training and {} test pictures, {} epochs, {} seeds\n\n", train_data.size(),
             test_data.size(), options.epochs, options.seeds);
  fmt::print(
      "| combiner | left, % | right, % | mean, % | s / epoch |\n|---|---:|---:|---:|---:|\n");
  for (const std::string& text : options.combiners) {
    std::vector<double> left, right, mean;
    double seconds = 0;
    for (int64_t seed = 0; seed < options.seeds; ++seed) {
      const Trained result =
          train(text, static_cast<uint64_t>(seed), train_data, test_data, options);
      left.push_back(result.left);
      right.push_back(result.right);
      mean.push_back((result.left + result.right) / 2);
      seconds += result.seconds_per_epoch / static_cast<double>(options.seeds);
    }
    fmt::print("| {} | {} | {} | {} | {:.1f} |\n", text, spread(left), spread(right), spread(mean),
               seconds);
    std::fflush(stdout);
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
