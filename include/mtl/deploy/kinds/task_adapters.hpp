#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/kinds/streams.hpp"
#include "mtl/sharing/task_adapters.hpp"

namespace mtl::deploy_detail {

struct TaskAdaptersKind {
  using Module = TaskAdaptersImpl;
  static constexpr std::string_view name = "TaskAdapters";
  static constexpr std::string_view python_needs = streams_python;
  static constexpr std::string_view python = R"py(
class TaskAdapters(nn.Module):
    """One encoder in stages; behind some a small perceptron of each task's own."""

    def __init__(self, stages, bottleneck, activation, heads, input=""):
        super().__init__()
        self.stages = nn.ModuleList(stage["encoder"] for stage in stages)
        self.heads, self.input, self.activation = Parts(heads), input, ACTIVATIONS[activation]
        self.adapters = Parts({task: Parts() for task in heads})
        for k, stage in enumerate(stages):
            if stage["channels"]:
                for task in heads:
                    down = nn.Linear(stage["channels"], bottleneck)
                    up = nn.Linear(bottleneck, stage["channels"])
                    self.adapters[task].add(k, Parts({"down": down, "up": up}))

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        for k, stage in enumerate(self.stages):
            x = through(stage, x)
            if k in self.adapters[next(iter(self.heads))]:
                x = parted(x, lambda task, own: self.adapted(own, self.adapters[task][k]),
                           self.heads)
        return answered(self.heads, x)

    def adapted(self, x, adapter):
        inner = self.activation(adapter["down"](x.movedim(1, -1)))
        return x + adapter["up"](inner).movedim(-1, 1)
)py";
  using Stage = StageFields<Module::Stage>;
  std::vector<Stage> stages;
  Module::Options options = {};
  std::string input;

  static TaskAdaptersKind of(const Module& model) {
    TaskAdaptersKind described{{}, model.options(), model.input()};
    for (const auto& stage : model.stages()) described.stages.push_back({stage});
    return described;
  }
  void fields(Fields& f) {
    f("stages", stages);
    f("bottleneck", options.bottleneck);
    f.choice("activation", options.activation, nn::activation_names);
    f("input", input);
  }
  double numbers(double tasks) const {
    double sum = 0;
    for (const Stage& stage : stages)
      sum += 2 * tasks * stage.width() * static_cast<double>(options.bottleneck);
    return sum;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(std::vector<Module::Stage>(stages.begin(), stages.end()),
                                    std::move(tasks), options, input);
  }
};

}  // namespace mtl::deploy_detail
