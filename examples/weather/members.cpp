#include "members.hpp"

#include <cmath>

#include <torch/torch.h>

#include "mtl/nn/encoders/gru_encoder.hpp"

namespace weather {

MemberGrusImpl::MemberGrusImpl(int64_t members, int64_t input_size, int64_t hidden_size) {
  for (int64_t member = 0; member < members; ++member) {
    const mtl::nn::GruEncoder gru({.input_size = input_size, .hidden_size = hidden_size});
    members_.emplace_back(gru);
    register_module("member" + std::to_string(member), gru.ptr());
  }
}

mtl::Tensor MemberGrusImpl::forward(const mtl::Tensor& days) {
  std::vector<mtl::Tensor> representations;
  for (const auto& member : members_) representations.push_back(member.forward(days));
  return torch::stack(representations, 1);
}

MemberHeadsImpl::MemberHeadsImpl(int64_t members, int64_t hidden_size, int64_t outputs,
                                 Answer answer)
    : answer_(answer) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));  // as torch::nn::Linear
  weight_ = register_parameter(
      "weight", torch::empty({members, hidden_size, outputs}).uniform_(-bound, bound));
  bias_ = register_parameter("bias", torch::empty({members, 1, outputs}).uniform_(-bound, bound));
}

mtl::Tensor MemberHeadsImpl::forward(const mtl::Tensor& representation) {
  const mtl::Tensor answers =
      torch::baddbmm(bias_, representation.transpose(0, 1), weight_);  // [members, N, outputs]
  if (is_training()) return answers.transpose(0, 1);
  if (answer_ == Answer::value) return answers.mean(0);
  return answers.log_softmax(2).logsumexp(0) - std::log(static_cast<double>(answers.size(0)));
}

}  // namespace weather
