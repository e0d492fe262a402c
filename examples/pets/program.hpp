#pragma once

#include "findings.hpp"

namespace pets {

/// What the command line asks for; `--help` says what each means.
struct Options {
  std::string data, test, traits, picture_traits, backbone, features, compare;
  std::string precision = "float32";
  std::string lambda = text_of(tuned_lambdas);
  std::filesystem::path out = "runs/pets";
  uint64_t seed = 1;
  int64_t repeat = 1, epochs = 0, threads = 2, tune = 0, each = 8, side = 64;
  bool compare_baseline = false, resume = false;
  std::vector<std::string> arguments = {};  ///< as they were given
};

/// Where pictures come from, and the recipe that suits them.
struct Source {
  virtual ~Source() = default;
  /// The same seed gives the same split. The first call reads the pictures.
  virtual Sample sample(uint64_t seed) = 0;

  std::string description;
  Recipe recipe;
  std::vector<std::string> breeds, warnings;  ///< warnings: of what was read so far
};

/// Drawn faces, or a folder: with the test part from `options.test`, else from the official split,
/// else 15 % by seed. Reads all but the pictures, so that what is wrong is an Error at once.
std::unique_ptr<Source> open_source(const Options& options);

/// Tunes, trains and compares as asked; writes the run directory. With `options.resume` it goes on
/// where the run there was cut short. Error: another process works in the directory.
void run(const Options& options);

/// Breed and traits of picture files by the model in `options.out`.
void predict(const Options& options, const std::vector<std::filesystem::path>& files);

/// The whole program: 0, 1 after an error or a batch that was not learnt by heart, another number
/// where the command line is wrong.
int run_program(int argc, const char* const* argv);

}  // namespace pets
