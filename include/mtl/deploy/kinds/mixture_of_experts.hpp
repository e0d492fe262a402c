#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/kinds/experts.hpp"
#include "mtl/sharing/mixture_of_experts.hpp"

namespace mtl::deploy_detail {

struct MixtureOfExpertsKind {
  using Module = MixtureOfExpertsImpl;
  static constexpr std::string_view name = "MixtureOfExperts";
  static constexpr std::string_view python_needs = experts_python;
  static constexpr std::string_view python = R"py(
class MixtureOfExperts(nn.Module):
    """Encoders that all tasks share, and a gate a task that says how much of each it takes."""

    def __init__(self, experts, gate_input_size, heads, input=""):
        super().__init__()
        self.experts, self.heads, self.input = nn.ModuleList(experts), Parts(heads), input
        self.gates = Parts({task: SoftmaxGate(gate_input_size, len(experts)) for task in heads})

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        outputs = [expert(x) for expert in self.experts]
        return {task: head(mixed(self.gates[task](x), outputs))
                for task, head in self.heads.items()}
)py";
  std::vector<Encoder> experts;
  Module::Options options = {};
  std::string input;

  static MixtureOfExpertsKind of(const Module& model) {
    return {model.experts(), model.options(), model.input()};
  }
  void fields(Fields& f) {
    f("experts", experts);
    f("gate_input_size", options.gate_input_size);
    f("input", input);
  }
  double numbers(double tasks) const {
    return tasks * static_cast<double>(experts.size()) *
           static_cast<double>(options.gate_input_size);
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(experts, std::move(tasks), options, input);
  }
};

}  // namespace mtl::deploy_detail
