#pragma once

#include <torch/torch.h>

#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/core.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/task/losses/mean_squared_error.hpp"

/// The synthetic experiment of Ma et al., KDD 2018, section 3.
namespace mmoe {

constexpr int64_t inputs = 100;

/// Two tasks over the same x ~ N(0, 1)^100, of a chosen cosine between their directions:
///     y_t = w_t x + sum_i sin(alpha_i w_t x + beta_i) + N(0, 0.01),   |w_t| = 1
/// The paper leaves alpha and beta open. Here there are ten of each, alpha ~ N(0, 2^2), beta
/// uniform over a turn, drawn anew for every seed.
class TwoRegressions {
 public:
  TwoRegressions(double cosine, uint64_t seed) {
    torch::Generator random = mtl::make_generator(seed);
    const mtl::Tensor drawn = torch::randn({2, inputs}, random);
    const mtl::Tensor first = drawn[0] / drawn[0].norm();
    const mtl::Tensor rest = drawn[1] - drawn[1].dot(first) * first;
    const double sine = std::sqrt(1 - cosine * cosine);
    w_ = torch::stack({first, cosine * first + sine * rest / rest.norm()});
    alpha_ = 2 * torch::randn({10}, random);
    beta_ = 6.2831853 * torch::rand({10}, random);
  }

  /// Rows that nobody has seen.
  mtl::Batch draw(int64_t rows, torch::Generator& random) const {
    const mtl::Tensor x = torch::randn({rows, inputs}, random);
    const mtl::Tensor z = x.mm(w_.t());
    const mtl::Tensor noise = 0.1 * torch::randn({rows, 2}, random);
    const mtl::Tensor y = z + torch::sin(z.unsqueeze(2) * alpha_ + beta_).sum(2) + noise;
    return {{{"x", x}}, {{"first", y.select(1, 0)}, {"second", y.select(1, 1)}}, true};
  }

 private:
  mtl::Tensor w_, alpha_, beta_;
};

/// A loader that never runs dry: every batch of every epoch is new.
class FreshRows {
 public:
  FreshRows(TwoRegressions problem, int64_t batches, int64_t batch_size, uint64_t seed)
      : problem_(std::move(problem)), batches_(batches), batch_size_(batch_size), seed_(seed) {}

  int64_t batches() const { return batches_; }
  int64_t samples() const { return batches_ * batch_size_; }
  void start_epoch(int64_t epoch) {
    random_ = mtl::make_generator(mtl::mix_seed(seed_, static_cast<uint64_t>(epoch)));
    given_ = 0;
  }
  bool next(mtl::Batch& batch) {
    if (given_ == batches_) return false;
    ++given_;
    batch = problem_.draw(batch_size_, random_);
    return true;
  }

 private:
  TwoRegressions problem_;
  int64_t batches_, batch_size_, given_ = 0;
  uint64_t seed_;
  torch::Generator random_ = mtl::make_generator(0);
};

/// Experts behind one gate for all tasks: the paper's OMoE, as an encoder.
struct OneGateImpl : torch::nn::Module {
  OneGateImpl(int64_t experts_given, int64_t width)
      : count(experts_given),
        experts(register_module("experts", torch::nn::Linear(inputs, experts_given * width))),
        gate(register_module("gate", torch::nn::Linear(inputs, experts_given))) {}
  mtl::Tensor forward(const mtl::Tensor& x) {
    const mtl::Tensor by_expert = experts(x).relu().view({x.size(0), count, -1});
    return (by_expert * gate(x).softmax(1).unsqueeze(2)).sum(1);
  }
  int64_t count;
  torch::nn::Linear experts, gate;
};
TORCH_MODULE(OneGate);

inline const std::vector<std::string> models = {"shared bottom", "apart", "OMoE", "MMoE", "PLE"};

/// Eight experts of 16 units and towers of 8, as in the paper; the others are of about that many
/// parameters: a shared bottom of 113 units, one of 56 for each task apart, two levels of PLE with
/// two experts a task and two shared ones.
inline std::shared_ptr<mtl::Model> make_model(std::string_view name) {
  const auto layer = [](int64_t in, int64_t width) {
    return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {width}});
  };
  const auto towers = [](int64_t width) {
    mtl::TaskRegistry tasks;
    for (const char* task : {"first", "second"})
      tasks.add(
          {.name = task,
           .head = mtl::nn::MlpHead({.input_size = width, .hidden_sizes = {8}, .output_size = 1}),
           .loss = mtl::MeanSquaredError{}});
    return tasks;
  };
  const auto experts = [&](int64_t count, int64_t in) {
    return mtl::several(count, [&] { return layer(in, 16); });
  };
  if (name == "shared bottom") return mtl::HardSharing(layer(inputs, 113), towers(113)).ptr();
  if (name == "apart")  // the penalty that would draw them together is not asked for
    return mtl::SoftSharing(mtl::several(2, [&] { return layer(inputs, 56); }), towers(56)).ptr();
  if (name == "OMoE") return mtl::HardSharing(OneGate(8, 16), towers(16)).ptr();
  if (name == "MMoE")
    return mtl::MixtureOfExperts(experts(8, inputs), towers(16), {.gate_input_size = inputs}).ptr();
  const auto level = [&](int64_t in) {
    return mtl::ProgressiveLayeredExtraction::Level{
        .by_task = mtl::several(2, [&] { return experts(2, in); }),
        .shared = experts(2, in),
        .gate_input_size = in};
  };
  if (name == "PLE")
    return mtl::ProgressiveLayeredExtraction({level(inputs), level(16)}, towers(16)).ptr();
  throw mtl::Error("there is no model \"{}\"", name);
}

}  // namespace mmoe
