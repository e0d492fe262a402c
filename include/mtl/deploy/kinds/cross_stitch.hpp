#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/cross_stitch.hpp"

namespace mtl::deploy_detail {

struct CrossStitchKind {
  using Module = CrossStitchImpl;
  static constexpr std::string_view name = "CrossStitch";
  static constexpr std::string_view python = R"py(
class CrossStitch(nn.Module):
    """An encoder a task in stages; after each a learned combination of all tasks' outputs."""

    def __init__(self, columns, channels, heads, input=""):
        super().__init__()
        self.columns = Parts({task: Parts(enumerate(c)) for task, c in zip(heads, columns)})
        self.heads, self.input, self.stages = Parts(heads), input, len(columns[0])
        if len(heads) > 1:
            self.stitches = Parts()
            for k in range(self.stages):
                shape = [len(heads), channels[k]] if channels else [len(heads)]
                self.stitches.add(k, Weights({task: shape for task in heads}))

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        states = {task: x for task in self.heads}
        for k in range(self.stages):
            states = {task: self.columns[task][k](x) for task, x in states.items()}
            if len(states) > 1:
                outputs = torch.stack(list(states.values()))  # [T, N, C, ...]
                states = {task: self.combined(self.stitches[k][task], outputs) for task in states}
        return {task: head(states[task]) for task, head in self.heads.items()}

    def combined(self, row, outputs):
        if row.dim() == 1:
            return torch.tensordot(row, outputs, ([0], [0]))
        return (row.reshape(row.shape[0], 1, row.shape[1], *[1] * (outputs.dim() - 3))
                * outputs).sum(0)
)py";
  std::vector<Stages> columns;
  Module::Options options = {};
  std::string input;

  static CrossStitchKind of(const Module& model) {
    return {model.columns(), model.options(), model.input()};
  }
  void fields(Fields& f) {
    f("columns", columns);
    f("channels", options.channels);
    f("input", input);
    f.training([&] { f("own", options.own); });
  }
  double numbers(double tasks) const {
    if (tasks == 1 || columns.empty()) return 0;
    double stitches = options.channels.empty() ? static_cast<double>(columns[0].size()) : 0;
    for (const int64_t channels : options.channels) {
      if (channels < 1) throw Error("{}: found {} channels, expected at least 1", name, channels);
      stitches += static_cast<double>(channels);
    }
    return tasks * tasks * stitches;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(columns, std::move(tasks), options, input);
  }
};

}  // namespace mtl::deploy_detail
