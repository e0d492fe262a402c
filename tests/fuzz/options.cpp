#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>

#include "mtl/combine/make_combiner.hpp"
#include "mtl/deploy/weights_by_name.hpp"
#include "mtl/evaluate/tuning/random_search.hpp"
#include "mtl/evaluate/tuning/tuner.hpp"
#include "target.hpp"

// Texts that choose and describe: combiners, names of weights, the log of a search.

namespace fuzz {

void combiner(std::string_view bytes) {
  for (const int64_t tasks : {0, 3})
    reads("", [&] { mtl::make_combiner(bytes, mtl::TaskCount(tasks)); });
}

// One name a line; the names' lengths choose the shapes.
void names(std::string_view bytes) {
  static const torch::nn::Sequential net(torch::nn::Linear(2, 3), torch::nn::Linear(3, 2));
  mtl::NamedTensors weights;
  for (std::string_view rest = bytes; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string name(rest.substr(0, end));
    if (weights.find(name) == nullptr)
      weights.insert(name, torch::empty({2 + static_cast<int64_t>(end % 2), 2}));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto compare = [&](const mtl::WeightNames& rules) {
    reads("", [&] { mtl::match_weights(*net, weights, rules).text(); });
  };
  compare({});
  compare({.ignore = {"^fc\\.", "(a|b)*c"}, .keep = {"bias"}});
  compare({.rename = {{"^module\\.", ""}, {"(.*)\\.gamma$", "$1.weight"}}});
}

void search_log(std::string_view bytes) {
  using namespace mtl::evaluate;
  const auto log = folder() / "trials.csv";
  put(log, bytes);
  reads("trials.csv", [&] {
    Tuner tuner({{.name = "lr", .low = 1e-4, .high = 1, .log = true},
                 {.name = "layers", .low = 1, .high = 4, .whole = true},
                 {.name = "method", .choices = {"mean", "pcgrad"}}},
                RandomSearch{}, {.trials = 20, .log = log});
    for (const TuningTrial& trial : tuner.trials())
      require(trial.values.size() == 3 && trial.trial >= 0, "a trial without its values");
    const auto candidate = tuner.ask();
    if (candidate) tuner.tell(*candidate, 0.5);
    tuner.best();
  });
}

}  // namespace fuzz
