// Pet breeds with one main task and three auxiliary ones: `pets --help`, docs/pets.md.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "mtl/core/allocator.hpp"
#include "mtl/core/error.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  mtl::tune_allocator();
  CLI::App app{"Learns the breeds of pets, with ear, hair and figure as auxiliary tasks."};
  pets::Options options;
  options.data = PETS_DATA;
  options.traits = PETS_TRAITS;
  std::string lambdas = pets::text_of(options.lambdas);
  std::vector<std::filesystem::path> files;

  app.add_option(
         "--data", options.data,
         "A folder of pictures (the official Oxford-IIIT Pet layout, or one with manifest.csv), or "
         "\"drawn\"")
      ->capture_default_str();
  app.add_option("--test", options.test,
                 "A folder of the same layout whose pictures are only tested on");
  app.add_option(
      "--backbone", options.backbone,
      "ImageNet weights of EfficientNet-Lite0 (safetensors, see convert_efficientnet.py); "
      "without them a small CNN learns from nothing");
  app.add_option("--traits", options.traits, "Trait scores by breed (CSV)")->capture_default_str();
  app.add_option("--picture-traits", options.picture_traits,
                 "Trait scores of single pictures (CSV)");
  app.add_option("--lambda", lambdas, "Weights of the auxiliary losses; all 0 is the baseline")
      ->capture_default_str();
  app.add_flag("--compare-baseline", options.compare_baseline,
               "Train with all lambdas 0, too, and test the difference");
  app.add_option("--repeat", options.repeat, "So many seeds")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--tune", options.tune,
                 "First try N random lambdas in [0, 2] on the validation pictures")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--overfit-one-batch", options.overfit_one_batch,
               "Only see whether one batch can be learnt by heart");
  app.add_option("--predict", files, "Breed and traits of these files, by the model in --out");
  app.add_option("--each", options.each, "Drawn training pictures a breed")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--side", options.side, "Pixels of the pictures that the small CNN reads")
      ->capture_default_str()
      ->check(CLI::Range(32, 1024));
  app.add_option("--epochs", options.epochs, "Passes over the training pictures; 0: the recipe's");
  app.add_option("--seed", options.seed, "Of the split, the weights and the order")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Of torch and of reading pictures")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--out", options.out, "The run directory")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto say = [](const std::string& line) { std::cout << line << std::endl; };
  try {
    options.lambdas = pets::parse_lambdas(lambdas);
    if (!files.empty()) {
      pets::predict(options, files, say);
      return 0;
    }
    if (options.overfit_one_batch) return pets::run_overfit(options, say) ? 0 : 1;
    pets::run(options, say);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "pets: " << error.what() << std::endl;
    return 1;
  }
}
