#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/kinds/experts.hpp"
#include "mtl/sharing/dselect_k.hpp"

namespace mtl::deploy_detail {

struct DSelectKKind {
  using Module = DSelectKImpl;
  static constexpr std::string_view name = "DSelectK";
  static constexpr std::string_view python_needs = experts_python;
  static constexpr std::string_view python = R"py(
class DSelectK(nn.Module):
    """Experts of which each task's gate combines a few, each chosen by a binary code."""

    def __init__(self, experts, selected, gate_input_size, gamma, heads, input=""):
        super().__init__()
        self.experts, self.heads, self.input = nn.ModuleList(experts), Parts(heads), input
        self.selected, self.by_sample, self.gamma = selected, gate_input_size > 0, gamma
        self.bits = (len(experts) - 1).bit_length()
        seen = [gate_input_size] if self.by_sample else []
        shapes = {"select": [selected] + seen, "code": [selected, self.bits] + seen}
        self.gates = Parts({task: Weights(shapes) for task in heads})

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        outputs = [expert(x) for expert in self.experts]
        return {task: head(mixed(self.weights_of(self.gates[task], x), outputs))
                for task, head in self.heads.items()}

    def weights_of(self, gate, x):
        select, code = gate["select"], gate["code"]
        if self.by_sample:
            x = x.flatten(1)
            select = F.linear(x, select)
            code = F.linear(x, code.flatten(0, 1)).reshape(-1, self.selected, self.bits)
        z = code.clamp(-self.gamma / 2, self.gamma / 2)
        on = z ** 3 * (-2 / self.gamma ** 3) + z * (1.5 / self.gamma) + 0.5
        choices = []
        for e in range(len(self.experts)):
            chosen = 1.0
            for b in range(self.bits):
                chosen = chosen * (on[..., b] if e >> b & 1 else 1 - on[..., b])
            choices.append(chosen)
        return (select.softmax(-1).unsqueeze(-1) * torch.stack(choices, -1)).sum(-2)
)py";
  std::vector<Encoder> experts;
  Module::Options options = {};
  std::string input;

  static DSelectKKind of(const Module& model) {
    return {model.experts(), model.options(), model.input()};
  }
  void fields(Fields& f) {
    f("experts", experts);
    f("selected", options.selected);
    f("gate_input_size", options.gate_input_size);
    f("gamma", options.gamma);
    f("input", input);
    f.training([&] { f("entropy", options.entropy); });
  }
  double numbers(double tasks) const {
    const double seen =
        options.gate_input_size > 0 ? static_cast<double>(options.gate_input_size) : 1;
    return tasks * static_cast<double>(options.selected) * seen;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(experts, std::move(tasks), options, input);
  }
};

}  // namespace mtl::deploy_detail
