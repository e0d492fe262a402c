// The synthetic experiment of Ma et al. (KDD 2018, section 3): two regressions of chosen
// correlation, on which hard sharing loses to mixtures of experts where they have little in common.
#include <cmath>
#include <functional>

#include "way_checks.hpp"

namespace {

constexpr int64_t mmoe_inputs = 100;

/// y_t = w_t x + sum_i sin(alpha_i w_t x + beta_i) + noise, with |w_t| = 1 and cosine(w_1, w_2) as
/// given.
class TwoRegressions {
 public:
  TwoRegressions(double cosine, uint64_t seed) {
    torch::manual_seed(seed);
    const auto drawn = torch::randn({2, mmoe_inputs});
    const auto first = drawn[0] / drawn[0].norm();
    const auto rest = drawn[1] - drawn[1].dot(first) * first;
    w_ =
        torch::stack({first, cosine * first + std::sqrt(1 - cosine * cosine) * rest / rest.norm()});
    beta_ = 6.2832 * torch::rand({10});
    alpha_ = 2 * torch::randn({10});
  }

  mtl::Batch batch(int64_t size) const {
    const auto x = torch::randn({size, mmoe_inputs});
    const auto z = x.mm(w_.t());
    const auto y =
        z + torch::sin(z.unsqueeze(2) * alpha_ + beta_).sum(2) + 0.1 * torch::randn({size, 2});
    return {{{"x", x}}, {{"a", y.select(1, 0)}, {"b", y.select(1, 1)}}};
  }

 private:
  torch::Tensor w_, alpha_, beta_;
};

mtl::nn::MlpEncoder bottom(int64_t width) {
  return mtl::nn::MlpEncoder({.input_size = mmoe_inputs, .hidden_sizes = {width}});
}

mtl::TaskRegistry towers(int64_t width) {
  mtl::TaskRegistry tasks;
  for (const char* name : {"a", "b"})
    tasks.add(
        {.name = name,
         .head = mtl::nn::MlpHead({.input_size = width, .hidden_sizes = {8}, .output_size = 1}),
         .loss = squared_error});
  return tasks;
}

/// The mean loss on new data after 1000 steps.
double trained(mtl::Model& model, const TwoRegressions& problem) {
  torch::optim::Adam adam(model.parameters(), 5e-3);
  mtl::Sum sum;
  const auto losses_of = [&](const mtl::Batch& batch) {
    return mtl::task_losses(model, model.forward(batch.inputs), batch);
  };
  for (int step = 0; step < 1000; ++step) {
    adam.zero_grad();
    sum.backward(losses_of(problem.batch(128)), model);
    adam.step();
  }
  const torch::NoGradGuard no_grad;
  return torch::stack(losses_of(problem.batch(4096)).values).mean().item<double>();
}

}  // namespace

TEST_CASE("MixtureOfExperts, CGC: beat a shared bottom of their size on uncorrelated tasks") {
  const auto expert = [] { return bottom(16); };
  const auto experts = [&](int64_t count) { return mtl::several(count, expert); };
  double hard = 0, mixture = 0, extraction = 0;
  for (const uint64_t seed : {0, 1, 2}) {
    const TwoRegressions problem(0, 100 + seed);
    const auto add = [&](double& sum, const std::function<std::shared_ptr<mtl::Model>()>& make) {
      torch::manual_seed(seed);
      sum += trained(*make(), problem) / 3;
    };
    // 113 units: about the weights of eight experts of 16, as in the paper.
    add(hard, [] { return mtl::HardSharing(bottom(113), towers(113)).ptr(); });
    add(mixture, [&] {
      return mtl::MixtureOfExperts(experts(8), towers(16), {.gate_input_size = mmoe_inputs}).ptr();
    });
    add(extraction, [&] {
      return mtl::ProgressiveLayeredExtraction({{.by_task = {experts(3), experts(3)},
                                                 .shared = experts(2),
                                                 .gate_input_size = mmoe_inputs}},
                                               towers(16))
          .ptr();
    });
  }
  INFO("hard " << hard << ", MMoE " << mixture << ", CGC " << extraction);
  CHECK(mixture < 0.95 * hard);
  CHECK(extraction < 0.95 * hard);
}
