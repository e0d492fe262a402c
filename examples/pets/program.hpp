#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "findings.hpp"
#include "study.hpp"

namespace pets {

/// What the command line asks for.
struct Options {
  std::string data;              ///< a folder, or "drawn"
  std::filesystem::path test;    ///< another folder whose pictures are only tested on
  std::filesystem::path traits;  ///< scores by breed
  std::filesystem::path
      picture_traits;              ///< scores of single pictures, which come before the breed's
  std::filesystem::path backbone;  ///< ImageNet weights; empty: a small CNN learns from nothing
  std::filesystem::path out = "runs/pets";
  Lambdas lambdas;
  uint64_t seed = 1;
  int64_t repeat = 1;  ///< seeds seed, seed + 1, ...
  int64_t epochs = 0;  ///< 0: the recipe's
  int64_t threads = 2;
  int64_t tune = 0;   ///< random lambdas to try first
  int64_t each = 8;   ///< drawn training pictures a breed
  int64_t side = 64;  ///< pixels of the pictures that the CNN reads
  bool compare_baseline = false;
  bool overfit_one_batch = false;
};

/// Pictures split for one seed, and how to show those of the test part.
struct Sample {
  Parts parts;
  std::function<mtl::Tensor(int64_t)> test_picture;
  std::function<std::string(int64_t)> test_name;
};

/// Where pictures come from, and the recipe that suits them.
struct Source {
  std::string description;
  std::vector<std::string> breeds;
  Recipe recipe;
  std::vector<std::string> warnings;
  std::function<Sample(uint64_t seed)> sample;
};

/// Reads folders (with the test part from `options.test`, else from the official split, else 15 %
/// by seed), or draws. `say` receives lines for people.
Source open_source(const Options& options, const std::function<void(const std::string&)>& say);

/// Tunes, trains and compares as asked; writes the run directory.
Findings run(const Options& options, const std::function<void(const std::string&)>& say);

/// False where the batch could not be learnt by heart.
bool run_overfit(const Options& options, const std::function<void(const std::string&)>& say);

/// Breed and traits of picture files by the model in `options.out`.
void predict(const Options& options, const std::vector<std::filesystem::path>& files,
             const std::function<void(const std::string&)>& say);

}  // namespace pets
