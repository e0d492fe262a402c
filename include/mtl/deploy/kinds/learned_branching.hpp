#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/learned_branching.hpp"

namespace mtl::deploy_detail {

struct LearnedBranchingKind {
  using Module = LearnedBranchingImpl;
  static constexpr std::string_view name = "LearnedBranching";
  static constexpr std::string_view python = R"py(
class LearnedBranching(nn.Module):
    """Levels of nodes, each of which reads one node of the level before: the tree that was learned.
    What mixes them while they learn belongs to the training."""

    def __init__(self, levels, heads, input=""):
        super().__init__()
        self.nodes = nn.ModuleList(nn.ModuleList(level) for level in levels)
        self.heads, self.input = Parts(heads), input
        self.choices = Parts({k: Weights({i: [len(levels[k - 1])] for i in range(len(levels[k]))})
                              for k in range(1, len(levels))})
        self.task_choices = Weights({task: [len(levels[-1])] for task in heads})
        self.settle()

    def settle(self):
        """Takes the choices from the weights; load() calls it when they are there."""
        self.paths = {}
        for task, logits in self.task_choices.items():
            path = [int(logits.argmax())]
            for k in range(len(self.nodes) - 1, 0, -1):
                path.insert(0, int(self.choices[k][path[0]].argmax()))
            self.paths[task] = path

    def forward(self, inputs):
        x, outputs, answers = input_of(inputs, self.input), {}, {}
        for task, head in self.heads.items():
            value = x
            for k, i in enumerate(self.paths[task]):
                if (k, i) not in outputs:
                    outputs[k, i] = self.nodes[k][i](value)
                value = outputs[k, i]
            answers[task] = head(value)
        return answers
)py";
  std::vector<Stages> levels;
  Module::Options options = {};
  std::string input;

  static LearnedBranchingKind of(const Module& model) {
    return {model.levels(), model.options(), model.input()};
  }
  void fields(Fields& f) {
    f("levels", levels);
    f("input", input);
    f.training([&] { f("temperature", options.temperature); });
  }
  double numbers(double tasks) const {
    double sum = 0, before = 0;
    for (const Stages& level : levels) {
      const auto nodes = static_cast<double>(level.size());
      sum += before * nodes;
      before = nodes;
    }
    return sum + tasks * before;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(levels, std::move(tasks), options, input);
  }
};

}  // namespace mtl::deploy_detail
