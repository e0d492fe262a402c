#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "mtl/combine/combiner.hpp"
#include "mtl/combine/loss_values.hpp"
#include "mtl/combine/options.hpp"
#include "mtl/combine/state/task_numbers.hpp"
#include "mtl/core/random.hpp"

namespace mtl {

/// Random weights in every step (RLW, random scalarization): as good as many designed weightings,
/// and what they should be compared with.
///     sum w_t l_t,   w >= 0,  sum w = 1
/// Lin et al., TMLR 2022 (arXiv 2111.10603).
class RandomLossWeighting : public LossCombiner {
 public:
  static constexpr std::string_view name = "rlw";
  enum class Distribution {
    normal,     // softmax of standard normal draws: the paper's choice, and LibMTL's
    uniform,    // softmax of draws from [0, 1)
    dirichlet,  // uniform on the simplex
    bernoulli,  // each task with chance 1/2, the chosen ones alike; again when none was chosen
  };
  struct Options {
    Distribution distribution = Distribution::normal;  ///< of the weights; the paper's
    uint64_t seed = 0;  ///< of the combiner's own generator, which its state carries
    /// Where the raw draws [P] (normal or uniform in [0, 1)) come from instead; empty: the
    /// generator.
    std::function<Tensor(int64_t tasks)> draws = {};
    void describe(OptionVisitor& option) {
      option.choice("distribution", distribution,
                    {{"normal", Distribution::normal},
                     {"uniform", Distribution::uniform},
                     {"dirichlet", Distribution::dirichlet},
                     {"bernoulli", Distribution::bernoulli}});
      option.seed("seed", seed);
    }
  };
  RandomLossWeighting() : RandomLossWeighting(Options{}) {}
  explicit RandomLossWeighting(Options options)
      : options_(checked(std::move(options), name)), generator_(make_generator(options_.seed)) {}
  /// A copy draws by itself, from where the other is.
  RandomLossWeighting(const RandomLossWeighting& other)
      : LossCombiner(other), options_(other.options_), generator_(other.generator_.clone()) {}
  RandomLossWeighting(RandomLossWeighting&&) = default;
  RandomLossWeighting& operator=(const RandomLossWeighting& other) {
    return *this = RandomLossWeighting(other);
  }
  RandomLossWeighting& operator=(RandomLossWeighting&&) = default;
  ~RandomLossWeighting() override = default;

  /// Error: the option draws gives another number of them, or one that is not finite.
  inline Tensor combine(const TaskLosses& losses) override;
  NamedTensors state_dict() const override {
    NamedTensors state;
    state.insert("generator", generator_state(generator_));
    return state;
  }
  inline void load_state_dict(const NamedTensors& state) override;

 private:
  Tensor draw(int64_t tasks);
  Tensor weights(int64_t tasks);

  Options options_;
  torch::Generator generator_;
};

inline Tensor RandomLossWeighting::draw(int64_t tasks) {
  if (options_.draws) {
    const Tensor draws = options_.draws(tasks);
    if (!draws.defined() || draws.dim() != 1 || draws.size(0) != tasks ||
        !draws.isfinite().all().item<bool>()) {
      throw Error("combiner \"rlw\": the option draws gave {}, expected {} finite numbers [{}]",
                  draws.defined() ? shape_text(draws) : "nothing", tasks, tasks);
    }
    return draws.detach().to(torch::kCPU, torch::kDouble);
  }
  return options_.distribution == Distribution::normal
             ? torch::randn({tasks}, generator_, torch::kDouble)
             : torch::rand({tasks}, generator_, torch::kDouble);
}

/// [P].
inline Tensor RandomLossWeighting::weights(int64_t tasks) {
  Tensor weights = draw(tasks);
  switch (options_.distribution) {
    case Distribution::normal:
    case Distribution::uniform:
      return weights.softmax(0);
    case Distribution::dirichlet:  // exponential draws, normalised
      weights = -(1 - weights).log();
      break;
    case Distribution::bernoulli:
      for (int again = 0; !weights.lt(0.5).any().item<bool>(); ++again) {
        if (again == 1000) {
          throw Error(
              "combiner \"rlw\": 1000 draws in a row chose no task; the option draws is "
              "to give uniform numbers in [0, 1)");
        }
        weights = draw(tasks);
      }
      weights = weights.lt(0.5).to(torch::kDouble);
      break;
  }
  return weights / weights.sum();
}

inline Tensor RandomLossWeighting::combine(const TaskLosses& losses) {
  const Tensor values = loss_values(losses, name);
  return values.dot(like_losses(weights(losses.size()), losses));
}

inline void RandomLossWeighting::load_state_dict(const NamedTensors& state) {
  load_numbers(state, {}, {"generator"});
  set_generator_state(generator_, state_entry(state, "generator"));
}

}  // namespace mtl
