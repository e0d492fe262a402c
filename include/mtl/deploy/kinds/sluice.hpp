#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/sluice.hpp"

namespace mtl::deploy_detail {

struct SluiceKind {
  using Module = SluiceImpl;
  static constexpr std::string_view name = "Sluice";
  static constexpr std::string_view python = R"py(
class Sluice(nn.Module):
    """An encoder a task in stages, mixed by subspaces after each; heads read a mixture of all."""

    def __init__(self, columns, subspaces, heads, input=""):
        super().__init__()
        self.columns = Parts({task: Parts(enumerate(c)) for task, c in zip(heads, columns)})
        self.heads, self.input, self.subspaces = Parts(heads), input, subspaces
        self.stages, rows = len(columns[0]), [subspaces, len(heads) * subspaces]
        self.alphas = Parts({k: Weights({task: rows for task in heads})
                             for k in range(self.stages)})
        self.betas = Weights({task: [self.stages] for task in heads})

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        states, answers = {task: x for task in self.heads}, {}
        for k in range(self.stages):
            states = {task: self.columns[task][k](x) for task, x in states.items()}
            spaces = torch.stack([space for x in states.values()
                                  for space in x.chunk(self.subspaces, 1)])  # [T G, N, C / G, ...]
            for task, x in states.items():
                mixed = torch.tensordot(self.alphas[k][task], spaces, ([1], [0]))
                states[task] = mixed.transpose(0, 1).reshape(x.shape)
                part = self.betas[task][k] * states[task]
                answers[task] = part if k == 0 else answers[task] + part
        return {task: head(answers[task]) for task, head in self.heads.items()}
)py";
  std::vector<Stages> columns;
  Module::Options options = {};
  std::string input;

  static SluiceKind of(const Module& model) {
    return {model.columns(), model.options(), model.input()};
  }
  void fields(Fields& f) {
    f("columns", columns);
    f("subspaces", options.subspaces);
    f("input", input);
    f.training([&] {
      f("own", options.own);
      f("last", options.last);
      f("strength", options.strength);
    });
  }
  double numbers(double tasks) const {
    const double width = tasks * static_cast<double>(options.subspaces);
    return columns.empty() ? 0 : static_cast<double>(columns[0].size()) * width * width;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(columns, std::move(tasks), options, input);
  }
};

}  // namespace mtl::deploy_detail
