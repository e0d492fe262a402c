#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/direction_combiner.hpp"
#include "mtl/core/random.hpp"

namespace mtl {

/// Gradient sign dropout: each element keeps either its positive or its negative parts, by a draw
/// whose odds are those of the signs.
///     P = .5 (1 + sum_t g_t / sum_t |g_t|),   u uniform;
///     positive g_t stay where P > u, negative where P < u
/// The paper does so at the shared representation, with the sign of gradient times representation:
/// that is what `at = GradientSite::representation` gives.
/// Chen et al., NeurIPS 2020 (arXiv 2010.06808).
class GradDrop : public DirectionCombiner {
 public:
  static constexpr std::string_view name = "graddrop";
  struct Options {
    double leak = 0;    ///< part of every gradient that always passes, in [0, 1]
    uint64_t seed = 0;  ///< of the combiner's own generator
    std::function<Tensor(const Tensor&)> uniforms = {};  ///< own draws, shaped like the argument
    GradientSite at = GradientSite::shared_parameters;   ///< where the gradients are compared
    void describe(OptionVisitor& option) {
      option.number("leak", leak, zero_to_one);
      option.seed("seed", seed);
      describe_site(option, at);
    }
  };
  GradDrop() : GradDrop(Options{}) {}
  explicit GradDrop(Options options)
      : DirectionCombiner(options.at),
        options_(checked(std::move(options), name)),
        generator_(make_generator(options_.seed)) {}

  Direction direction(const Rows& rows) override {
    return direction_of(unknown_losses(rows), rows);
  }
  inline Direction direction_of(const TaskLosses& step, const Rows& rows) override;
  NamedTensors state_dict() const override {
    NamedTensors state;
    state.insert("generator", generator_state(generator_));
    return state;
  }
  void load_state_dict(const NamedTensors& state) override {
    load_numbers(state, {}, {"generator"});
    set_generator_state(generator_, state_entry(state, "generator"));
  }

 private:
  Options options_;
  torch::Generator generator_;
};

inline Direction GradDrop::direction_of(const TaskLosses& step, const Rows& rows) {
  Direction result;
  result.head_weights = Eigen::VectorXd::Ones(step.size());
  const uint64_t seed = draw_seed(generator_);
  const bool at_representation =
      at_ == GradientSite::representation && step.representation.defined();
  for (const auto& of_parameter : rows) {
    const auto all = dense_rows(of_parameter);
    if (all.empty()) {
      result.by_parameter.emplace_back();
      continue;
    }
    const Tensor gradients = torch::stack(all);  // [T, ...]
    const Tensor signed_by =
        at_representation ? gradients * step.representation.detach().sign() : gradients;
    const Tensor size = signed_by.abs().sum(0);
    const Tensor odds =
        torch::where(size > 0, 0.5 * (1 + signed_by.sum(0) / size), torch::full_like(size, 0.5));
    const Tensor u = options_.uniforms ? options_.uniforms(odds).to(odds.options())
                                       : uniforms(mix_seed(seed, result.by_parameter.size()), odds);
    const Tensor keep = ((odds > u) & (signed_by > 0)) | ((odds < u) & (signed_by < 0));
    const Tensor passed = options_.leak + (1 - options_.leak) * keep.to(odds.scalar_type());
    result.by_parameter.push_back((gradients * passed).sum(0));
  }
  return result;
}

}  // namespace mtl
