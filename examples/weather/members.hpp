#pragma once

#include <cmath>
#include <mtl/mtl.hpp>

namespace weather {

// Several small networks in one model, trained at once and asked together: the mean of what they
// say is better than any of them. In training every member answers for itself; in evaluation the
// model gives the members' mean.

/// Members GRUs over the same window: [N, days, inputs] -> [N, members, hidden].
class MemberGrusImpl : public torch::nn::Module {
 public:
  MemberGrusImpl(int64_t members, int64_t input_size, int64_t hidden_size) {
    for (int64_t member = 0; member < members; ++member)
      members_.push_back(register_module(
          "member" + std::to_string(member),
          mtl::nn::GruEncoder({.input_size = input_size, .hidden_size = hidden_size})));
  }
  Tensor forward(const Tensor& days) {
    std::vector<Tensor> representations;
    for (auto& member : members_) representations.push_back(member->forward(days));
    return torch::stack(representations, 1);
  }

 private:
  std::vector<mtl::nn::GruEncoder> members_;
};
TORCH_MODULE(MemberGrus);

/// A linear head for each member: [N, members, hidden] -> [N, members, outputs] in training, [N,
/// outputs] in evaluation: of one output the members' mean, of several, which are class scores, the
/// logarithm of the mean of the members' class probabilities.
class MemberHeadsImpl : public torch::nn::Module {
 public:
  MemberHeadsImpl(int64_t members, int64_t hidden_size, int64_t outputs) {
    const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));  // as torch::nn::Linear
    weight_ = register_parameter(
        "weight", torch::empty({members, hidden_size, outputs}).uniform_(-bound, bound));
    bias_ = register_parameter("bias", torch::empty({members, 1, outputs}).uniform_(-bound, bound));
  }
  Tensor forward(const Tensor& representation) {
    const Tensor answers =
        torch::baddbmm(bias_, representation.transpose(0, 1), weight_);  // [members, N, outputs]
    if (is_training()) return answers.transpose(0, 1);
    if (answers.size(2) == 1) return answers.mean(0);
    return answers.log_softmax(2).logsumexp(0) - std::log(static_cast<double>(answers.size(0)));
  }

 private:
  Tensor weight_, bias_;  // [members, hidden, outputs], [members, 1, outputs]
};
TORCH_MODULE(MemberHeads);

/// Another loss, for every member against the same target: a sample's loss is the mean over
/// members, times `scale`.
template <class Each>
struct OfMembers {
  Each each;
  double scale = 1.0;

  static constexpr mtl::LossKind kind = Each::kind;

  mtl::SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    const bool members = prediction.dim() == 3;  // evaluation: [N, outputs], one answer already
    const int64_t count = members ? prediction.size(1) : 1;
    const mtl::SampleLosses all =
        each(members ? prediction.flatten(0, 1) : prediction, target.repeat_interleave(count, 0));
    // A sample's weight comes from its label, so it is the same for all its members.
    return {all.values.view({-1, count}).mean(1) * scale,
            all.weights.defined() ? all.weights.view({-1, count}).select(1, 0) : Tensor()};
  }
};

}  // namespace weather
