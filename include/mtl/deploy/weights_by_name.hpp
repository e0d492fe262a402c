#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"

namespace mtl {

/// How the names of somebody else's weights become a module's.
struct WeightNames {
  /// A regular expression (ECMAScript) and what takes its place, "$1" for the first group.
  struct Rule {
    std::string pattern, replacement;
  };
  std::vector<Rule> rename = {};         ///< one after the other, on every name
  std::vector<std::string> ignore = {};  ///< names, once renamed, in which one of these is found
  std::vector<std::string> keep = {};    ///< of the module: keep their own where there are none
};

/// What fits and what does not, by the module's names.
struct WeightMatch {
  struct Missing {
    std::string name, shape;
    std::string nearest, nearest_shape;  ///< among what is left over; empty: nothing is
  };
  struct Misfit {
    std::string name, shape, found;  ///< of the module, of the weights
  };
  struct LeftOver {
    std::string name, renamed, shape;  ///< as it came, as it was looked for
  };
  std::vector<Missing> missing = {};
  std::vector<Misfit> misfits = {};
  std::vector<LeftOver> left_over = {};
  int64_t fitting = 0;

  bool complete() const { return missing.empty() && misfits.empty() && left_over.empty(); }
  /// A line for each that does not fit, ten of a sort at most.
  std::string text() const;
};

/// Compares without changing anything. Error: a pattern is no regular expression, two names become
/// one, a name is longer than 1000 characters.
WeightMatch match_weights(const torch::nn::Module& module, const NamedTensors& weights,
                          const WeightNames& names = {});

/// Puts weights that PyTorch saved into a module: all of it, or nothing and an Error with the text
/// of what does not fit. A file is what PyTorch's `torch.save(model.state_dict(), file)` wrote
/// (io::read_pytorch), or `safetensors.torch.save_file(model.state_dict(), file)`.
///
///     mtl::load_weights_by_name(*encoder, "resnet.pt",
///                               {.rename = {{"^module\\.", ""}}, .ignore = {"^fc\\."}});
///
/// Batch normalisation's num_batches_tracked, which nobody reads, may be missing.
/// Error: as match_weights, and weights that do not fit; the module stays as it is.
void load_weights_by_name(torch::nn::Module& module, const NamedTensors& weights,
                          const WeightNames& names = {});
void load_weights_by_name(torch::nn::Module& module, const std::filesystem::path& file,
                          const WeightNames& names = {});

}  // namespace mtl
