#pragma once

#include <string_view>

namespace mtl::deploy_detail {

/// What ways of sharing with experts have in common, in Python.
inline constexpr std::string_view experts_python = R"py(
class SoftmaxGate(nn.Module):
    """How much of each expert to take, by sample: [N, ...] -> [N, experts]."""

    def __init__(self, input_size, experts):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(experts, input_size))

    def forward(self, x):
        return F.linear(x.flatten(1), self.weight).softmax(1)


def mixed(weights, outputs):
    """The sum of the experts' outputs by their weights, [experts] or [N, experts]."""
    stacked = torch.stack(outputs, 1).flatten(2)  # [N, experts, size of an output]
    if weights.dim() == 1:
        return torch.tensordot(weights, stacked, ([0], [1])).reshape(outputs[0].shape)
    return torch.bmm(weights.unsqueeze(1), stacked).reshape(outputs[0].shape)
)py";

}  // namespace mtl::deploy_detail
