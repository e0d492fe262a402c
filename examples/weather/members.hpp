#pragma once

#include <vector>

#include "mtl/nn/layer.hpp"
#include "mtl/task/loss.hpp"

namespace weather {

// Several small networks in one model, trained at once and asked together: the mean of what they
// say is better than any of them. In training every member answers for itself; in evaluation the
// model gives the members' mean.

/// Members GRUs over the same window: [N, days, inputs] -> [N, members, hidden].
class MemberGrusImpl : public torch::nn::Module {
 public:
  MemberGrusImpl(int64_t members, int64_t input_size, int64_t hidden_size);
  mtl::Tensor forward(const mtl::Tensor& days);

 private:
  std::vector<mtl::nn::Layer> members_;
};
TORCH_MODULE(MemberGrus);

enum class Answer {
  value,   // members' mean
  scores,  // logarithm of the mean of the members' class probabilities
};

/// A linear head for each member: [N, members, hidden] -> [N, members, outputs] in training, [N,
/// outputs] in evaluation.
class MemberHeadsImpl : public torch::nn::Module {
 public:
  MemberHeadsImpl(int64_t members, int64_t hidden_size, int64_t outputs, Answer answer);
  mtl::Tensor forward(const mtl::Tensor& representation);

 private:
  Answer answer_;
  mtl::Tensor weight_, bias_;  // [members, hidden, outputs], [members, 1, outputs]
};
TORCH_MODULE(MemberHeads);

/// Another loss, for every member against the same target: a sample's loss is the mean over
/// members, times `scale`.
template <class Each>
struct OfMembers {
  Each each;
  double scale = 1.0;

  static constexpr mtl::LossKind kind = Each::kind;

  mtl::SampleLosses operator()(const mtl::Tensor& prediction, const mtl::Tensor& target) const {
    const bool members = prediction.dim() == 3;  // evaluation: [N, outputs], one answer already
    const int64_t count = members ? prediction.size(1) : 1;
    const mtl::SampleLosses all =
        each(members ? prediction.flatten(0, 1) : prediction, target.repeat_interleave(count, 0));
    const auto by_sample = [&](const mtl::Tensor& values) { return values.view({-1, count}); };
    // A sample's weight comes from its label, so it is the same for all its members.
    return {by_sample(all.values).mean(1) * scale,
            all.weights.defined() ? by_sample(all.weights).select(1, 0) : mtl::Tensor()};
  }
};

}  // namespace weather
