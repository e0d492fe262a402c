#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/kinds/experts.hpp"
#include "mtl/sharing/progressive_layered_extraction.hpp"

namespace mtl::deploy_detail {

struct ProgressiveLayeredExtractionKind {
  using Module = ProgressiveLayeredExtractionImpl;
  static constexpr std::string_view name = "ProgressiveLayeredExtraction";
  static constexpr std::string_view python_needs = experts_python;
  static constexpr std::string_view python = R"py(
class ProgressiveLayeredExtraction(nn.Module):
    """Levels of experts, some of one task and some shared, with a gate a task and level."""

    def __init__(self, levels, heads, input=""):
        super().__init__()
        self.levels, self.heads, self.input = nn.ModuleList(), Parts(heads), input
        for k, level in enumerate(levels):
            of_task, shared, size = level["by_task"], level["shared"], level["gate_input_size"]
            part = nn.Module()
            part.tasks = Parts({task: Parts(enumerate(own)) for task, own in zip(heads, of_task)})
            part.shared = nn.ModuleList(shared)
            part.gates = Parts({task: SoftmaxGate(size, len(own) + len(shared))
                                for task, own in zip(heads, of_task)})
            if k + 1 < len(levels):
                part.shared_gate = SoftmaxGate(size, sum(map(len, of_task)) + len(shared))
            self.levels.append(part)

    def forward(self, inputs):
        shared = input_of(inputs, self.input)
        by_task = {task: shared for task in self.heads}
        for level in self.levels:
            own = {task: [expert(x) for _, expert in level.tasks[task].items()]
                   for task, x in by_task.items()}
            common = [expert(shared) for expert in level.shared]
            by_task = {task: mixed(level.gates[task](x), own[task] + common)
                       for task, x in by_task.items()}
            if hasattr(level, "shared_gate"):
                shared = mixed(level.shared_gate(shared), sum(own.values(), []) + common)
        return {task: head(by_task[task]) for task, head in self.heads.items()}
)py";
  struct Level : Module::Level {
    void fields(Fields& f) {
      f("by_task", by_task);
      f("shared", shared);
      f("gate_input_size", gate_input_size);
    }
  };
  std::vector<Level> levels;
  std::string input;

  static ProgressiveLayeredExtractionKind of(const Module& model) {
    ProgressiveLayeredExtractionKind described{{}, model.input()};
    for (const auto& level : model.levels()) described.levels.push_back({level});
    return described;
  }
  void fields(Fields& f) {
    f("levels", levels);
    f("input", input);
  }
  double numbers(double tasks) const {
    double sum = 0;
    for (const Level& level : levels) {
      double experts = tasks * static_cast<double>(level.shared.size());
      for (const auto& own : level.by_task) experts += static_cast<double>(own.size());
      sum += experts * static_cast<double>(level.gate_input_size);
    }
    return sum;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(std::vector<Module::Level>(levels.begin(), levels.end()),
                                    std::move(tasks), input);
  }
};

}  // namespace mtl::deploy_detail
